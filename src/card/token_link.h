// card/token_link: the sessions that use one private key of a token; opens them again when they are lost.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include <p11-kit/uri.h>

#include "card/remote_key.h"
#include "card/token_key.h"

namespace usher::card {

struct FreeTokenUri {
  void operator()(P11KitUri* uri) const noexcept { p11_kit_uri_free(uri); }
};
using TokenUri = std::unique_ptr<P11KitUri, FreeTokenUri>;

class TokenLink final : public TokenKeyState, public RemoteKey {
 public:
  /// Errors: as open_token.
  [[nodiscard]] static Result<std::shared_ptr<TokenLink>> open(const TokenKeyRequest& request);

  [[nodiscard]] const crypto::PublicKey& public_key() const noexcept override { return *public_key_; }
  [[nodiscard]] Result<> check() override;
  /// Errors: as p11::TokenSession's; those of opening the token again.
  [[nodiscard]] Result<crypto::Secret> raw(p11::RawUse use, View input) override;
  [[nodiscard]] Result<crypto::Secret> agree(View point) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct KeyLocation {  // where the key was found
    p11::SlotId slot = 0;
    p11::ObjectId key = 0;
    bool login_required = false;
  };
  struct Taken {
    p11::TokenSession session;
    KeyLocation location;
    std::uint64_t generation;
  };
  TokenLink(TokenKeyRequest request, TokenUri uri, p11::Module module)
      : request_(std::move(request)), uri_(std::move(uri)), module_(std::move(module)) {}

  /// Runs `operation` in its own session. If the token was lost, opens it again and runs `operation` once more.
  template <class T, class Operation>
  [[nodiscard]] Result<T> use(const Operation& operation);
  [[nodiscard]] Result<Taken> take();
  void give_back(Taken taken);
  [[nodiscard]] Result<> connect();
  [[nodiscard]] Result<p11::TokenInfo> find_token() const;
  [[nodiscard]] Result<> log_in(p11::TokenSession& session, const p11::TokenInfo& token) const;
  [[nodiscard]] Result<p11::Object> find_key(const p11::TokenSession& session) const;
  /// Opens the token again, unless another thread has done so since `generation`.
  [[nodiscard]] Result<> reconnect(std::uint64_t generation, const Error& lost);
  void note(const Error* why);

  const TokenKeyRequest request_;
  const TokenUri uri_;
  const p11::Module module_;
  std::optional<crypto::PublicKey> public_key_;  // set once

  std::mutex reconnecting_;                  // one thread at a time; locked before mutex_
  std::optional<Clock::time_point> failed_;  // time of the last failed attempt; guarded by reconnecting_
  std::optional<Error> failure_;             // its error; guarded by reconnecting_

  std::mutex mutex_;
  KeyLocation location_;
  std::uint64_t generation_ = 0;
  std::vector<p11::TokenSession> idle_;
  bool usable_ = true;  // as reported last
};

}  // namespace usher::card
