#include "client/engine/transport.h"

#include <array>
#include <cerrno>
#include <mutex>
#include <vector>

#include <curl/curl.h>

#include "base/encoding.h"

namespace usher::client {
namespace {

struct EasyFree {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct ListFree {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
struct UrlFree {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using Easy = std::unique_ptr<CURL, EasyFree>;
using List = std::unique_ptr<curl_slist, ListFree>;
using Url = std::unique_ptr<CURLU, UrlFree>;

struct Exchange {
  Bytes body{};
  bool too_large = false;
  const Stop* stop;
};

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::size_t total = size * count;
  if (total > kMaxReply - exchange.body.size()) {
    exchange.too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  append(exchange.body, view_of({bytes, total}));
  return total;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& exchange = *static_cast<const Exchange*>(user);
  return *exchange.stop && (*exchange.stop)() ? 1 : 0;
}

constexpr std::string_view kCheckProxy =
    "Check that the proxy runs, its address (connection.proxy, http_proxy, https_proxy, all_proxy), and the network; "
    "connection.proxy = \"none\" goes without one.";

/// Removes user:password@, which must not be shown.
std::string without_password(const std::string& proxy) {
  const std::size_t at = proxy.rfind('@');
  if (at == std::string::npos) return printable(proxy);
  const std::size_t scheme = proxy.find("://");
  return printable((scheme == std::string::npos ? "" : proxy.substr(0, scheme + 3)) + proxy.substr(at + 1));
}

/// The proxy that a request went through: the configured one, or one that curl took from the environment. The second
/// case is recognised by `said`, curl's error message: it names the proxy's address instead of the server's. Empty: no
/// proxy.
std::string proxy_of(const HttpOptions& options, std::string_view host, std::string_view said) {
  if (options.proxy == "none") return {};
  if (!options.proxy.empty()) return "the proxy " + without_password(options.proxy);
  const bool elsewhere = said.starts_with("Failed to connect to ") && !said.contains(host);
  return elsewhere || said.contains("proxy") ? "a proxy of the environment" : std::string{};
}

/// The error for a failure of curl. `where`: the URL, which the listener configured. `said`: curl's error message.
std::unexpected<Error> curl_failed(CURL* easy, CURLcode code, const Exchange& exchange, const std::string& where,
                                   const std::string& proxy, const std::string& said) {
  long number = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
  if (number == EMFILE || number == ENFILE) return fail(Fault::too_few_descriptors, "transport: socket");
  const std::string about = where + (proxy.empty() ? "" : " through " + proxy) + " (" +
                            (said.empty() ? curl_easy_strerror(code) : printable(said)) + ")";
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return fail(Fault::cancelled, "transport");
    case CURLE_WRITE_ERROR:
      return exchange.too_large ? fail(Fault::not_usher, "transport: size", where)
                                : fail(Fault::interrupted, "transport: write", about);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return fail(Fault::unreachable, "transport: connect", about, proxy.empty() ? "" : std::string(kCheckProxy));
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
      return fail(Fault::not_usher, "transport: no HTTP", where);
    default:
      return fail(Fault::interrupted, "transport", about);
  }
}

/// The fault for an error code that arrives outside of records, §8.2. Any other code is not from a usher server.
Result<Fault> told_fault(View body) {
  constexpr std::array kTold{Fault::malformed,       Fault::unsupported,        Fault::no_common_suite,
                             Fault::no_common_group, Fault::bad_key_share,      Fault::bad_certificate,
                             Fault::bad_signature,   Fault::unexpected_message, Fault::record_refused,
                             Fault::unknown_session, Fault::unknown_path,       Fault::too_long,
                             Fault::wrong_name,      Fault::server_busy};
  for (const Fault fault : kTold) {
    if (code_of(fault) == text_of(body)) return fault;
  }
  return fail(Fault::not_usher, "transport: error code");
}

/// What the listener can do about the server's error code; empty: the usual advice.
std::string_view advice_of_told(Fault fault) {
  switch (fault) {
    case Fault::bad_certificate:
      return "Check installation.certificate; if it is the right one, ask the server's operator why it is not taken.";
    case Fault::wrong_name:
      return "Connect by a name that the server has, or ask its operator for it.";
    case Fault::malformed:
    case Fault::unsupported:
    case Fault::unexpected_message:
    case Fault::too_long:
    case Fault::unknown_path:
      return "Use a release of usher that fits the server's, and check that connection.url is its media address.";
    default:
      return {};
  }
}

/// Whether `header` is the media type `type`, with any parameters.
bool is_type(const char* header, std::string_view type) {
  if (header == nullptr) return false;
  std::string_view text = header;
  text = text.substr(0, text.find(';'));
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::ranges::equal(
      text, type, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

Result<Bytes> judge(CURL* easy, Exchange exchange, std::string_view type, const std::string& where) {
  long status = 0;
  const char* header = nullptr;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &header);
  if (status == 200 && is_type(header, type)) return std::move(exchange.body);
  if (status >= 400 && is_type(header, kErrorType)) {
    USHER_TRY(const Fault fault, told_fault(exchange.body));
    return fail(fault, "transport: told", "the server at " + where + " answered so",
                std::string(advice_of_told(fault)));
  }
  const std::string about = where + " answered with HTTP status " + std::to_string(status);
  if (status == 503) return fail(Fault::server_busy, "transport: 503", where);
  if (status == 502 || status == 504) {
    return fail(Fault::unreachable, "transport: gateway", about,
                "A proxy answered: the server behind it does not run, or cannot be reached from there.");
  }
  if (status == 407)
    return fail(Fault::unreachable, "transport: proxy", "the proxy asks for a login",
                "Give user and password in the proxy's URL (connection.proxy, or http_proxy).");
  return fail(Fault::not_usher, "transport: answer", about);
}

void initialise_curl() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(once);
}

}  // namespace

struct HttpTransport::State {
  HttpOptions options;
  std::string base;  // without '/' at its end
  std::string host;
  std::mutex mutex;
  std::vector<Easy> idle;  // each keeps its connection alive

  Easy borrow() {
    {
      const std::scoped_lock lock(mutex);
      if (!idle.empty()) {
        Easy easy = std::move(idle.back());
        idle.pop_back();
        return easy;
      }
    }
    return Easy(curl_easy_init());
  }
  void give_back(Easy easy) {
    curl_easy_reset(easy.get());
    const std::scoped_lock lock(mutex);
    idle.push_back(std::move(easy));
  }
  void prepare(CURL* easy) const;
};

void HttpTransport::State::prepare(CURL* easy) const {
  const auto limit = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  limit(CURLOPT_NOSIGNAL, 1L);
  limit(CURLOPT_PROTOCOLS_STR, "http,https");
  limit(CURLOPT_FOLLOWLOCATION, 0L);
  limit(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  limit(CURLOPT_TCP_NODELAY, 1L);
  limit(CURLOPT_TCP_KEEPALIVE, 1L);
  limit(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_deadline.count()));
  limit(CURLOPT_TIMEOUT_MS, static_cast<long>(options.deadline.count()));
  limit(CURLOPT_LOW_SPEED_LIMIT, 1L);
  limit(CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(options.stall_deadline.count() / 1000)));
  limit(CURLOPT_NOPROGRESS, 0L);
  limit(CURLOPT_XFERINFOFUNCTION, &on_progress);
  limit(CURLOPT_WRITEFUNCTION, &on_body);
  limit(CURLOPT_USERAGENT, options.user_agent.c_str());
  if (options.proxy == "none") {
    limit(CURLOPT_PROXY, "");
  } else if (!options.proxy.empty()) {
    limit(CURLOPT_PROXY, options.proxy.c_str());
  }
}

HttpTransport::HttpTransport(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpTransport::~HttpTransport() = default;

const std::string& HttpTransport::host() const noexcept { return state_->host; }

Result<std::unique_ptr<HttpTransport>> HttpTransport::create(HttpOptions options) {
  initialise_curl();
  const auto refused = [&options] {
    return fail(Fault::bad_config, "transport: url", "the URL " + printable(options.url),
                "Give the server as http://HOST:PORT, without user, password, query and fragment.");
  };
  const Url url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, options.url.c_str(), 0) != CURLUE_OK) return refused();
  const auto part = [&url](CURLUPart which) {
    char* text = nullptr;
    std::string out;
    if (curl_url_get(url.get(), which, &text, 0) == CURLUE_OK) out = text;
    curl_free(text);
    return out;
  };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return refused();
  // A password in a URL would stay in shell histories, and the server does not use one.
  for (const CURLUPart none : {CURLUPART_QUERY, CURLUPART_FRAGMENT, CURLUPART_USER, CURLUPART_PASSWORD}) {
    if (!part(none).empty()) return refused();
  }
  auto state = std::make_unique<State>();
  state->host = part(CURLUPART_HOST);
  if (state->host.starts_with('[') && state->host.ends_with(']')) {
    state->host = state->host.substr(1, state->host.size() - 2);
  }
  if (state->host.empty()) return refused();
  state->base = part(CURLUPART_URL);
  while (state->base.ends_with('/')) state->base.pop_back();
  state->options = std::move(options);
  return std::unique_ptr<HttpTransport>(new HttpTransport(std::move(state)));
}

Result<Bytes> HttpTransport::post(std::string_view path, std::string_view type, View body, const Stop& stop) {
  if (stop && stop()) return fail(Fault::cancelled, "transport");
  Easy easy = state_->borrow();
  if (!easy) return fail(Fault::local, "transport: curl");
  state_->prepare(easy.get());
  Exchange exchange{.stop = &stop};
  const std::string url = state_->base + std::string(path);
  List headers(curl_slist_append(nullptr, ("Content-Type: " + std::string(type)).c_str()));
  for (const std::string& more : {"Accept: " + std::string(type), std::string("Expect:")}) {
    if (curl_slist* all = curl_slist_append(headers.get(), more.c_str())) {
      [[maybe_unused]] const auto* const taken = headers.release();
      headers.reset(all);
    }
  }
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_POST, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy.get(), CURLOPT_XFERINFODATA, &exchange);
  std::array<char, CURL_ERROR_SIZE> said{};
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, said.data());
  const CURLcode code = curl_easy_perform(easy.get());
  Result<Bytes> answer =
      code == CURLE_OK ? judge(easy.get(), std::move(exchange), type, state_->base)
                       : Result<Bytes>(curl_failed(easy.get(), code, exchange, state_->base,
                                                   proxy_of(state_->options, state_->host, said.data()), said.data()));
  state_->give_back(std::move(easy));
  return answer;
}

}  // namespace usher::client
