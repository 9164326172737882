#include "client/engine/fetched_lists.h"

#include <algorithm>
#include <chrono>

#include "base/file.h"
#include "wire/revocation_lists.h"

namespace usher::client {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPath = "/api/lists";
constexpr std::string_view kType = "application/vnd.usher.lists";
constexpr Milliseconds kOld{3'600'000};

Result<std::vector<pki::Crl>> lists_of(View encoded) {
  USHER_TRY(const wire::RevocationLists fetched, wire::RevocationLists::decode(encoded));
  std::vector<pki::Crl> lists;
  for (const Bytes& der : fetched.lists) {
    USHER_TRY(pki::Crl list, pki::Crl::from_der(der));
    lists.push_back(std::move(list));
  }
  return lists;
}

}  // namespace

Result<std::vector<pki::Crl>> ask_for_lists(Transport& transport, const Stop& stop) {
  USHER_TRY(const Bytes answer, transport.post(kPath, kType, {}, stop));
  return lists_of(answer);
}

KeptLists::KeptLists(fs::path file) : file_(std::move(file)) {
  const auto content = read_file(file_, wire::kMaxHandedBytes);
  if (!content) return;
  if (auto lists = lists_of(view_of(*content))) lists_ = *std::move(lists);
}

bool KeptLists::is_old(Time now) const {
  std::error_code error;
  const auto written = fs::last_write_time(file_, error);
  if (error) return true;
  const auto when = std::chrono::floor<Milliseconds>(std::chrono::file_clock::to_sys(written));
  return now < when || now > when + kOld;
}

Result<> KeptLists::take(std::vector<pki::Crl> lists, const pki::Chain& authorities, Time now) {
  std::erase_if(lists, [&](const pki::Crl& list) {
    return std::ranges::none_of(authorities,
                                [&](const pki::Certificate& issuer) { return list.verify(issuer).has_value(); });
  });
  lists.insert(lists.end(), lists_.begin(), lists_.end());
  const pki::CrlSelection newest = pki::select_crls(lists, now);
  lists_ = newest.complete;
  lists_.insert(lists_.end(), newest.deltas.begin(), newest.deltas.end());
  wire::RevocationLists kept;
  std::size_t size = 1;
  for (const pki::Crl& list : lists_) {
    size += list.der().size() + 3;
    if (size <= wire::kMaxHandedBytes && kept.lists.size() < wire::kMaxHandedLists) kept.lists.push_back(list.der());
  }
  const Bytes encoded = kept.encode();
  return replace_file(file_, text_of(encoded));
}

}  // namespace usher::client
