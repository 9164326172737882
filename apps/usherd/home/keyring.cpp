#include "usherd/home/keyring.h"

#include "base/encoding.h"
#include "base/file.h"
#include "usherd/home/file_permissions.h"

namespace usher::usherd {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxKeyFile = 64 << 10;

Result<app::PassphraseSource> source_of(const Config& config, app::PassphraseSource source,
                                        const std::string& configured) {
  if (source.file.empty() && source.descriptor < 0) source.file = config.path_of(configured);
  if (source.file.empty()) return source;
  for (const fs::path& home : {config.file.parent_path(), config.path_of(config.data)}) {
    if (is_below(source.file, home)) {
      return fail(Fault::bad_config, "passphrase: inside the home",
                  "the passphrase file " + source.file.string() + " lies inside the home " + home.string() +
                      ", beside what it protects; keep it elsewhere");
    }
  }
  USHER_CHECK(check_passphrase_file(source.file));
  return source;
}

Result<crypto::PrivateKey> load_file(const fs::path& file, const crypto::Secret& passphrase) {
  USHER_CHECK(check_private(file));
  USHER_TRY(const std::string pem, read_file(file, kMaxKeyFile));
  auto key = crypto::PrivateKey::from_pem(pem, passphrase);
  if (!key && key.error().about.empty()) key.error().about = file.string();
  if (!key && key.error().fault == Fault::malformed && key.error().advice.empty()) {
    key.error().advice = "Name a PEM file with an encrypted private key (-----BEGIN ENCRYPTED PRIVATE KEY-----).";
  }
  return key;
}

}  // namespace

Keyring::Keyring(crypto::Secret passphrase, card::TokenPins::Ask ask_for_pin)
    : passphrase_(std::move(passphrase)), pins_(std::make_shared<card::TokenPins>(std::move(ask_for_pin))) {}

Result<crypto::PrivateKey> Keyring::load(const Config& config, const std::string& name) {
  if (!card::is_token_key(name)) return load_file(config.path_of(name), passphrase_);
  auto opened = card::open_token(
      {.uri = name, .module = config.module, .pins = pins_, .changed = [watch = watch_, name](const Error* why) {
         const std::scoped_lock lock(watch->mutex);
         if (watch->observer) watch->observer(name, why);
       }});
  if (!opened) {
    Error error = std::move(opened).error();
    error.about = printable(name) + (error.about.empty() ? "" : ": " + error.about);
    return std::unexpected(std::move(error));
  }
  const std::scoped_lock lock(mutex_);
  std::erase_if(opened_, [](const Opened& one) { return one.state.expired(); });
  opened_.push_back({name, opened->state});
  return std::move(opened->key);
}

void Keyring::observe(Observer observer) {
  const std::scoped_lock lock(watch_->mutex);
  watch_->observer = std::move(observer);
}

std::string Keyring::unusable() {
  constexpr std::chrono::seconds kHangs{5};
  std::vector<Opened> opened;
  {
    std::unique_lock lock(mutex_);
    if (!asked_.wait_for(lock, kHangs, [this] { return !asking_; })) {
      return "a token with a key has not answered for 5 s";
    }
    opened = opened_;
    asking_ = true;
  }
  struct Done {  // also if a call throws
    Keyring& self;
    ~Done() {
      const std::scoped_lock lock(self.mutex_);
      self.asking_ = false;
      self.asked_.notify_one();
    }
  } const done{*this};
  return first_unusable(opened);
}

std::string Keyring::first_unusable(const std::vector<Opened>& opened) {
  for (const Opened& one : opened) {
    const auto state = one.state.lock();
    if (!state) continue;
    if (const auto usable = state->check(); !usable) {
      return "the key " + printable(one.uri) + " cannot be used: " + std::string(code_of(usable.error().fault));
    }
  }
  return {};
}

Result<std::unique_ptr<Keyring>> open_keyring(const Config& config, const app::PassphraseSource& passphrase,
                                              const app::PassphraseSource& pin, bool fresh) {
  USHER_TRY(const app::PassphraseSource source, source_of(config, passphrase, config.passphrase_file));
  USHER_TRY(crypto::Secret opened, fresh ? app::read_new_passphrase(source, "New passphrase of the server's keys: ")
                                         : app::read_passphrase(source, "Passphrase of the server's keys: "));
  USHER_TRY(const app::PassphraseSource pin_source, source_of(config, pin, config.pin_file));
  return std::make_unique<Keyring>(std::move(opened), [pin_source](const std::string& token) {
    return app::read_pin(pin_source, "PIN of the token " + token + ": ");
  });
}

}  // namespace usher::usherd
