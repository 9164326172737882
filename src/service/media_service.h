// service/media_service: catalogue, licences, plays and chunks, from the store, the vault and the licence key.
// Spec: channel.md §9.2, licence.md.  Independent of sessions, records and HTTP.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "base/guarded.h"
#include "base/lru.h"
#include "crypto/key.h"
#include "media/vault.h"
#include "store/store.h"
#include "wire/api.h"

namespace usher::service {

/// Settings that the operator may change while the server runs.
struct ServicePolicy {
  std::optional<store::AcquisitionLimit> acquisition{};  // per person and medium; nullopt: the operator issues (§3.1)
  bool bind_installation = true;  // acquired licences play only on the installation that acquired them
};

/// The signer of licences.
struct LicenceIssuer {
  std::string server_id;
  std::shared_ptr<const crypto::Signer> signer;
  std::vector<Bytes> public_keys;  // SubjectPublicKeyInfo, 1..8, the current one first
};

/// A granted chunk. `chunk_size`: bytes to which its answer is padded.
struct GrantedChunk {
  std::size_t chunk_size = 0;
  media::Chunk chunk;
};

/// A checked request of the operator or a listener for a licence.
struct LicenceOrder {
  Hash256 pseudonym{};
  std::optional<Hash256> installation;
  Id128 medium{};
  std::optional<std::uint32_t> plays;
  std::optional<Seconds> life;  // from the time of issue
};

/// The result of an operation. A repeated operation returns the result of the first time and changes nothing.
template <class Answer>
struct Performed {
  Answer answer;
  bool repeated = false;
};

/// Thread-safe. All references are borrowed.
class MediaService {
 public:
  struct Parts {
    store::Store& store;
    const media::Vault& vault;
    LicenceIssuer issuer;
    Random& random;
    const Guarded<ServicePolicy>& policy;
    std::size_t open_media = 64;  // kept open: up to 4 MiB each
    /// Called if the catalogue cannot read a medium's manifest from the vault: once for each medium until its
    /// manifest can be read again. At most 4,096 media are remembered. Called from any thread.
    std::function<void(const Id128& medium, const Error& why)> unreadable{};
  };
  explicit MediaService(Parts parts) : p_(std::move(parts)), open_(p_.open_media) {}

  [[nodiscard]] const LicenceIssuer& issuer() const noexcept { return p_.issuer; }

  /// One page of the catalogue. A medium whose manifest cannot be read gets an empty one. Errors: the store's.
  [[nodiscard]] Result<wire::Catalogue> list(const wire::Page& page);
  [[nodiscard]] Result<wire::Licences> licences(const store::Caller& caller, const wire::Page& page, Time now);
  /// Errors: acquisition_closed, quota_spent, unknown_licence_kind, unknown_medium, operation_conflict.
  [[nodiscard]] Result<store::Licence> acquire(const store::Caller& caller, const store::Operation& operation,
                                               const wire::Acquire& wanted, Time now);
  /// Signs and stores a licence; a repeated operation returns the first licence. `acquired`: the limit if the person
  /// acquires it; nullopt: the operator issues it.
  /// Errors: unknown_medium, operation_conflict, quota_spent.
  [[nodiscard]] Result<store::Licence> issue(const LicenceOrder& order, const store::Operation& operation,
                                             const std::optional<store::AcquisitionLimit>& acquired, Time now);

  [[nodiscard]] Result<wire::Plays> plays(const store::Caller& caller, Time now);
  [[nodiscard]] Result<Performed<wire::Opened>> open(const store::Caller& caller, const store::Operation& operation,
                                                     const wire::Open& wanted, Time now);
  [[nodiscard]] Result<Performed<wire::Opened>> resume(const store::Caller& caller, const store::Operation& operation,
                                                       const Id128& play, Time now);
  [[nodiscard]] Result<Performed<wire::Closed>> close(const store::Caller& caller, const store::Operation& operation,
                                                      const wire::Close& wanted, Time now);
  /// Reads a chunk after the store has counted it. Errors: the store's, the vault's.
  [[nodiscard]] Result<GrantedChunk> chunk(const store::Caller& caller, const wire::Chunk& wanted, Time now);
  /// The size in bytes to which a refusal of `wanted` is padded (§7). `fault`: why it was refused.
  [[nodiscard]] std::size_t refusal_size(const wire::Chunk& wanted, Fault fault);

 private:
  using MediumPtr = std::shared_ptr<const media::MediumReader>;
  [[nodiscard]] Result<MediumPtr> medium(const Id128& id);
  /// Drops the reader from the open media, if it is still the medium's.
  void forget(const Id128& id, const MediumPtr& reader);
  [[nodiscard]] Result<media::Chunk> read_chunk(const wire::Chunk& wanted);
  [[nodiscard]] Result<Bytes> signed_manifest(const Id128& id);
  [[nodiscard]] Result<Performed<wire::Opened>> opened(const store::OpenPlay& play);

  void note_unreadable(const Id128& medium, const Error& why);

  Parts p_;
  std::mutex mutex_;
  LruMap<Id128, MediumPtr> open_;
  std::map<Id128, Bytes> manifests_;
  std::set<Id128> unreadable_;  // reported as unreadable, and not read since
};

/// The licence as a listener sees it at `now`.
[[nodiscard]] wire::LicenceEntry entry_of(const store::Licence& licence, Time now);

}  // namespace usher::service
