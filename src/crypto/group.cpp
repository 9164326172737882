#include "crypto/group.h"

#include <cstdlib>

#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

namespace usher::crypto {
namespace {

using ParamBuilder = Ossl<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Params = Ossl<OSSL_PARAM, OSSL_PARAM_free>;
using BnCtx = Ossl<BN_CTX, BN_CTX_free>;
using CurvePtr = Ossl<EC_GROUP, EC_GROUP_free>;
using PointPtr = Ossl<EC_POINT, EC_POINT_free>;

struct Row {
  Group group;
  const char* name;
  std::size_t public_size;
  std::size_t private_size;  // RFC 7919 §5.2: at least 225, 275, 325 bits
};
constexpr Row kRows[] = {
    {Group::p256, "P-256", 65, 32},           {Group::x25519, "x25519", 32, 32},
    {Group::ffdhe2048, "ffdhe2048", 256, 32}, {Group::ffdhe3072, "ffdhe3072", 384, 36},
    {Group::ffdhe4096, "ffdhe4096", 512, 44},
};

const Row& row_of(Group group) noexcept {
  for (const Row& row : kRows) {
    if (row.group == group) return row;
  }
  std::abort();
}

PKeyPtr key_from(const char* type, int selection, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const PKeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1) {
    return nullptr;
  }
  return PKeyPtr(key);
}

PKeyPtr dh_key(const Row& row, const BIGNUM* private_value, const BIGNUM* public_value) {
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, row.name, 0) != 1 ||
      (public_value && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, public_value) != 1) ||
      (private_value && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, private_value) != 1)) {
    return nullptr;
  }
  return key_from("DH", private_value ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, builder.get());
}

PKeyPtr ec_key(const BIGNUM* private_value, View point) {
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1 ||
      (private_value && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, private_value) != 1)) {
    return nullptr;
  }
  return key_from("EC", private_value ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, builder.get());
}

Bytes padded(const BIGNUM* number, std::size_t size) {
  Bytes out(size);
  if (BN_bn2binpad(number, out.data(), static_cast<int>(size)) < 0) std::abort();
  return out;
}

BnPtr private_number(View bytes) {
  BnPtr number(BN_secure_new());
  if (!number || !BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number.get())) std::abort();
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

struct Pair {
  PKeyPtr key;
  Bytes public_value;
};

Pair make_x25519(View private_bytes) {
  Pair pair{PKeyPtr(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, private_bytes.data(), 32)), Bytes(32)};
  std::size_t size = 32;
  if (!pair.key || EVP_PKEY_get_raw_public_key(pair.key.get(), pair.public_value.data(), &size) != 1) return {};
  return pair;
}

Pair make_ffdhe(const Row& row, View private_bytes) {
  const GroupParameters& parameters = parameters_of(row.group);
  const BnCtx context(BN_CTX_secure_new());
  const BnPtr p(BN_bin2bn(parameters.p.data(), static_cast<int>(parameters.p.size()), nullptr));
  const BnPtr g(BN_bin2bn(parameters.g.data(), static_cast<int>(parameters.g.size()), nullptr));
  const BnPtr x = private_number(private_bytes);
  const BnPtr y(BN_new());
  if (!context || !p || !g || !y ||
      BN_mod_exp_mont_consttime(y.get(), g.get(), x.get(), p.get(), context.get(), nullptr) != 1) {
    return {};
  }
  return {dh_key(row, x.get(), y.get()), padded(y.get(), row.public_size)};
}

/// Empty if the number is 0 or not below the curve's order. The caller then draws another number.
Pair make_p256(View private_bytes) {
  const CurvePtr curve(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const BnPtr d = private_number(private_bytes);
  if (!curve || BN_is_zero(d.get()) || BN_cmp(d.get(), EC_GROUP_get0_order(curve.get())) >= 0) return {};
  const PointPtr point(EC_POINT_new(curve.get()));
  Bytes encoded(65);
  if (!point || EC_POINT_mul(curve.get(), point.get(), d.get(), nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(curve.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(),
                         nullptr) != encoded.size()) {
    return {};
  }
  PKeyPtr key = ec_key(d.get(), encoded);
  return {std::move(key), std::move(encoded)};
}

/// 1 < Y < p-1 (RFC 7919 §5.1). Both are public.
bool in_range(const GroupParameters& parameters, const BIGNUM* y) {
  const BnPtr limit(BN_bin2bn(parameters.p.data(), static_cast<int>(parameters.p.size()), nullptr));
  return limit && BN_sub_word(limit.get(), 1) == 1 && BN_cmp(y, BN_value_one()) > 0 && BN_cmp(y, limit.get()) < 0;
}

PKeyPtr peer_key(const Row& row, View peer) {
  if (row.group == Group::x25519) {
    return PKeyPtr(EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, peer.data(), peer.size()));
  }
  if (row.group == Group::p256) return peer[0] == 0x04 ? ec_key(nullptr, peer) : nullptr;
  const BnPtr y(BN_bin2bn(peer.data(), static_cast<int>(peer.size()), nullptr));
  if (!y || !in_range(parameters_of(row.group), y.get())) return nullptr;
  return dh_key(row, nullptr, y.get());
}

Result<Secret> derive(const Row& row, EVP_PKEY* own, View peer_public) {
  if (peer_public.size() != row.public_size) return fail(Fault::bad_key_share, "key share: size");
  ERR_clear_error();
  const PKeyPtr peer = peer_key(row, peer_public);
  if (!peer) return ossl_fail(Fault::bad_key_share, "key share: value");
  const PKeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  const bool finite_field = row.group != Group::x25519 && row.group != Group::p256;
  Secret shared(finite_field ? row.public_size : 32);
  std::size_t size = shared.size();
  // OpenSSL refuses an all-zero x25519 result itself (RFC 7748 §6.1).
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      (finite_field && EVP_PKEY_CTX_set_dh_pad(context.get(), 1) != 1) ||
      EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 1) != 1 ||
      EVP_PKEY_derive(context.get(), shared.expose_for_writing().data(), &size) != 1 || size != shared.size()) {
    return key_fail(Fault::bad_key_share, "key share: agreement");
  }
  return shared;
}

}  // namespace

std::optional<Group> group_of(std::uint16_t number) noexcept {
  for (const Row& row : kRows) {
    if (static_cast<std::uint16_t>(row.group) == number) return row.group;
  }
  return std::nullopt;
}

std::string_view name_of(Group group) noexcept { return row_of(group).name; }

std::size_t public_size(Group group) noexcept { return row_of(group).public_size; }

const GroupParameters& parameters_of(Group group) {
  static const auto kParameters = [] {
    std::array<GroupParameters, std::size(kRows)> all;
    for (std::size_t i = 0; i < std::size(kRows); ++i) {
      if (kRows[i].group == Group::p256 || kRows[i].group == Group::x25519) continue;
      const PKeyPtr key = dh_key(kRows[i], nullptr, BN_value_one());
      BIGNUM* p = nullptr;
      BIGNUM* g = nullptr;
      if (!key || EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_FFC_P, &p) != 1 ||
          EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_FFC_G, &g) != 1) {
        std::abort();
      }
      const BnPtr own_p(p);
      const BnPtr own_g(g);
      all[i] = {padded(p, static_cast<std::size_t>(BN_num_bytes(p))),
                padded(g, static_cast<std::size_t>(BN_num_bytes(g)))};
    }
    return all;
  }();
  return kParameters[static_cast<std::size_t>(&row_of(group) - kRows)];
}

Result<EphemeralKey> EphemeralKey::generate(Group group, Random& random) {
  const Row& row = row_of(group);
  Secret bytes(row.private_size);
  constexpr int kDraws = 64;  // only P-256 draws again; each draw fails with probability 2^-32
  for (int draw = 0; draw < kDraws; ++draw) {
    random.fill(bytes.expose_for_writing());
    Pair pair = group == Group::x25519 ? make_x25519(bytes.expose())
                : group == Group::p256 ? make_p256(bytes.expose())
                                       : make_ffdhe(row, bytes.expose());
    if (pair.key) return EphemeralKey(group, std::move(pair.key), std::move(pair.public_value));
    if (group != Group::p256) break;
  }
  return ossl_fail(Fault::local, "ephemeral key");
}

Result<Secret> EphemeralKey::agree(View peer_public) && {
  const PKeyPtr own = std::move(key_);
  if (!own) return fail(Fault::local, "ephemeral key: used twice");
  return derive(row_of(group_), own.get(), peer_public);
}

Result<Secret> agree_p256(EVP_PKEY* own, View peer_point) { return derive(row_of(Group::p256), own, peer_point); }

}  // namespace usher::crypto
