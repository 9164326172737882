#include "card/token_link.h"

#include <algorithm>

#include "base/encoding.h"
#include "card/pkcs11_library.h"

namespace usher::card {
namespace {

constexpr std::size_t kMaxIdle = 16;                 // sessions that wait for the next use
constexpr std::chrono::seconds kBetweenAttempts{1};  // to open a lost token again

constexpr std::string_view kFindToken =
    "See that the token is connected; `usher card` and `pkcs11-tool -O` show what there is for the URI to name.";

std::unexpected<Error> bad_uri(std::string why) { return fail(Fault::bad_config, "token key: uri", std::move(why)); }

Result<TokenUri> parse(const std::string& text) {
  TokenUri uri(p11_kit_uri_new());
  if (!uri) return fail(Fault::local, "token key: uri");
  constexpr auto kWanted = static_cast<P11KitUriType>(P11_KIT_URI_FOR_OBJECT_ON_TOKEN | P11_KIT_URI_FOR_MODULE);
  if (const int wrong = p11_kit_uri_parse(text.c_str(), kWanted, uri.get()); wrong != P11_KIT_URI_OK) {
    return bad_uri("the URI of the key cannot be read");
  }
  if (p11_kit_uri_any_unrecognized(uri.get()) != 0) return bad_uri("the URI of the key has an unknown attribute");
  if (p11_kit_uri_get_pin_value(uri.get()) != nullptr || p11_kit_uri_get_pin_source(uri.get()) != nullptr) {
    return bad_uri("the PIN does not belong into the URI of the key: it is asked for, or read from a file");
  }
  return uri;
}

Result<std::string> module_of(const TokenKeyRequest& request, P11KitUri* uri) {
  if (const char* path = p11_kit_uri_get_module_path(uri); path != nullptr) return std::string(path);
  if (!request.module.empty()) return request.module;
  return bad_uri("neither the configuration nor a module-path in the URI says which PKCS #11 module has the key");
}

/// Fills a field of CK_TOKEN_INFO, with trailing blanks.
template <std::size_t N>
void put_field(CK_UTF8CHAR (&field)[N], std::string_view value) {
  std::ranges::fill(field, static_cast<CK_UTF8CHAR>(' '));
  std::ranges::copy(value.substr(0, N), std::begin(field));
}

bool fits(const P11KitUri* uri, const p11::TokenInfo& token) {
  CK_TOKEN_INFO info{};
  put_field(info.label, token.label);
  put_field(info.manufacturerID, token.manufacturer);
  put_field(info.model, token.model);
  put_field(info.serialNumber, token.serial);
  return p11_kit_uri_match_token_info(uri, &info) != 0;
}

/// Whether opening the token again may help.
bool is_lost(Fault fault) noexcept {
  return fault == Fault::card_removed || fault == Fault::not_authenticated || fault == Fault::module_failed;
}

}  // namespace

Result<> TokenPins::log_in(const std::string& token, const std::function<Result<>(const crypto::Secret&)>& attempt) {
  const std::scoped_lock lock(mutex_);
  if (refused_.contains(token)) {
    return fail(Fault::wrong_pin, "token key: login",
                "the PIN of the token " + token + " was refused before, and is not tried again by itself",
                "Correct the PIN, then reload or start again.");
  }
  auto known = known_.find(token);
  if (known == known_.end()) {
    USHER_TRY(crypto::Secret pin, ask_(token));
    known = known_.emplace(token, std::move(pin)).first;
  }
  auto done = attempt(known->second);
  if (done) return done;
  const Fault fault = done.error().fault;
  if (fault == Fault::wrong_pin || fault == Fault::pin_locked || fault == Fault::pin_invalid) refused_.insert(token);
  if (done.error().about.empty()) done.error().about = "the token " + token;
  return done;
}

void TokenPins::forget_refused() {
  const std::scoped_lock lock(mutex_);
  for (const std::string& token : refused_) known_.erase(token);
  refused_.clear();
}

Result<std::shared_ptr<TokenLink>> TokenLink::open(const TokenKeyRequest& request) {
  USHER_TRY(TokenUri uri, parse(request.uri));
  USHER_TRY(const std::string path, module_of(request, uri.get()));
  USHER_TRY(p11::Module module, p11::Module::load(path));
  std::shared_ptr<TokenLink> link(new TokenLink(request, std::move(uri), std::move(module)));
  USHER_CHECK(link->connect());
  return link;
}

Result<p11::TokenInfo> TokenLink::find_token() const {
  USHER_TRY(const std::vector<p11::TokenInfo> tokens, module_.tokens());
  const p11::TokenInfo* found = nullptr;
  for (const p11::TokenInfo& token : tokens) {
    if (!token.initialised || !fits(uri_.get(), token)) continue;
    if (found != nullptr) return bad_uri("more than one token fits the URI of the key");
    found = &token;
  }
  if (found == nullptr)
    return fail(Fault::no_card, "token key", "no token fits the URI of the key", std::string(kFindToken));
  return *found;
}

Result<> TokenLink::log_in(p11::TokenSession& session, const p11::TokenInfo& token) const {
  if (!token.login_required) return {};
  if (token.pin == p11::PinState::locked)
    return fail(Fault::pin_locked, "token key: login", "the token " + token.label,
                "Have it unlocked by its administrator (with the security officer's PIN).");
  if (token.pin == p11::PinState::last_try && !request_.last_try) {
    return fail(
        Fault::pin_last_try, "token key: login", "the token " + token.label,
        "Be certain of the PIN, and log in to the token once with its own software, which brings the tries back.");
  }
  if (token.protected_path) return session.login(p11::User::user, nullptr);  // the PIN is typed at the token
  return request_.pins->log_in(token.label, [&](const crypto::Secret& pin) -> Result<> {
    if (token.takes_pin_of(pin.size())) return session.login(p11::User::user, &pin);
    return fail(Fault::pin_invalid, "token key: PIN length", {}, "Give the PIN of the token that has the key.");
  });
}

Result<p11::Object> TokenLink::find_key(const p11::TokenSession& session) const {
  p11::Search search{.kind = p11::ObjectClass::private_key};
  P11KitUri* const uri = uri_.get();
  if (const CK_ATTRIBUTE* kind = p11_kit_uri_get_attribute(uri, CKA_CLASS); kind != nullptr) {
    if (kind->ulValueLen != sizeof(CK_OBJECT_CLASS) ||
        *static_cast<const CK_OBJECT_CLASS*>(kind->pValue) != CKO_PRIVATE_KEY) {
      return bad_uri("the URI names another object than a private key");
    }
  }
  const auto bytes = [](const CK_ATTRIBUTE& a) {
    return View(static_cast<const std::uint8_t*>(a.pValue), a.ulValueLen);
  };
  if (const CK_ATTRIBUTE* label = p11_kit_uri_get_attribute(uri, CKA_LABEL); label != nullptr) {
    search.label = std::string(text_of(bytes(*label)));
  }
  if (const CK_ATTRIBUTE* id = p11_kit_uri_get_attribute(uri, CKA_ID); id != nullptr) search.id = to_bytes(bytes(*id));
  USHER_TRY(const std::vector<p11::Object> found, session.find(search));
  if (found.empty())
    return fail(Fault::card_unsuitable, "token key", "no private key on it fits the URI", std::string(kFindToken));
  if (found.size() > 1) return bad_uri("more than one key fits the URI");
  return found.front();
}

Result<> TokenLink::connect() {
  USHER_TRY(const p11::TokenInfo token, find_token());
  USHER_TRY(p11::TokenSession session, module_.open(token.slot));
  USHER_CHECK(log_in(session, token));
  USHER_TRY(const p11::Object object, find_key(session));
  USHER_TRY(crypto::PublicKey half, session.public_key_of(object));
  if (!public_key_) {
    public_key_ = std::move(half);
  } else if (!same(half.spki(), public_key_->spki())) {
    return fail(Fault::bad_key, "token key", "the token that came back has another key under the same URI",
                "Put the token back that was there, or name the new key and its certificate, and start again.");
  }
  const std::scoped_lock lock(mutex_);
  location_ = {.slot = token.slot, .key = object.handle, .login_required = token.login_required};
  ++generation_;
  idle_.push_back(std::move(session));
  return {};
}

Result<TokenLink::Taken> TokenLink::take() {
  KeyLocation location;
  std::uint64_t generation = 0;
  {
    const std::scoped_lock lock(mutex_);
    location = location_;
    generation = generation_;
    if (!idle_.empty()) {
      Taken taken{std::move(idle_.back()), location, generation};
      idle_.pop_back();
      return taken;
    }
  }
  USHER_TRY(p11::TokenSession session, module_.open(location.slot));
  return Taken{std::move(session), location, generation};
}

void TokenLink::give_back(Taken taken) {
  const std::scoped_lock lock(mutex_);
  // Keeps at least one session: a token's login ends with its last session.
  if (taken.generation == generation_ && idle_.size() < kMaxIdle) idle_.push_back(std::move(taken.session));
}

void TokenLink::note(const Error* why) {
  {
    const std::scoped_lock lock(mutex_);
    if (usable_ == (why == nullptr)) return;
    usable_ = why == nullptr;
  }
  if (request_.changed) request_.changed(why);
}

Result<> TokenLink::reconnect(std::uint64_t generation, const Error& lost) {
  const std::scoped_lock reconnecting(reconnecting_);
  std::vector<p11::TokenSession> dead;
  {
    const std::scoped_lock lock(mutex_);
    if (generation != generation_) return {};
    dead.swap(idle_);
  }
  if (failed_ && Clock::now() - *failed_ < kBetweenAttempts) return std::unexpected(*failure_);
  dead.clear();  // before new sessions are opened: a module may reuse their handles
  auto connected = connect();
  if (connected) {
    failed_.reset();
    return connected;
  }
  failed_ = Clock::now();
  // The error of the key's last use is more precise than module_failed.
  failure_ = connected.error().fault == Fault::module_failed ? lost : connected.error();
  return std::unexpected(*failure_);
}

template <class T, class Operation>
Result<T> TokenLink::use(const Operation& operation) {
  for (bool again = false;; again = true) {
    std::uint64_t generation = 0;
    Result<T> done = fail(Fault::local, "token key");
    if (auto taken = take()) {
      generation = taken->generation;
      done = operation(taken->session, taken->location);
      if (done || !is_lost(done.error().fault)) give_back(*std::move(taken));
    } else {
      const std::scoped_lock lock(mutex_);
      generation = generation_;
      done = std::unexpected(std::move(taken).error());
    }
    if (done) {
      note(nullptr);
      return done;
    }
    if (!is_lost(done.error().fault)) return done;
    if (again) {
      // The token's login is meant here. The caller must not take the error for a listener's missing login.
      if (done.error().fault == Fault::not_authenticated) done.error().fault = Fault::module_failed;
      note(&done.error());
      return done;
    }
    if (auto connected = reconnect(generation, done.error()); !connected) {
      note(&connected.error());
      return std::unexpected(std::move(connected).error());
    }
  }
}

Result<> TokenLink::check() {
  return use<void>([](const p11::TokenSession& session, const KeyLocation& location) {
    return session.check(location.key, location.login_required);
  });
}

Result<crypto::Secret> TokenLink::raw(p11::RawUse use_of, View input) {
  return use<crypto::Secret>([&](const p11::TokenSession& session, const KeyLocation& location) {
    return session.raw(use_of, location.key, input);
  });
}

Result<crypto::Secret> TokenLink::agree(View point) {
  return use<crypto::Secret>([&](const p11::TokenSession& session, const KeyLocation& location) {
    return session.agree(location.key, point);
  });
}

Result<TokenKey> open_token(const TokenKeyRequest& request) {
  USHER_TRY(std::shared_ptr<TokenLink> link, TokenLink::open(request));
  USHER_TRY(crypto::PrivateKey key, key_over(link));
  return TokenKey{std::move(key), std::move(link)};
}

Result<crypto::PrivateKey> open_token_key(const TokenKeyRequest& request) {
  USHER_TRY(TokenKey opened, open_token(request));
  return std::move(opened.key);
}

}  // namespace usher::card
