#include "server/fetching/fetch.h"

#include <memory>

#include <curl/curl.h>
#include <unistd.h>

namespace usher::server {
namespace {

struct EasyFree {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};

struct ListFree {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

struct Transfer {
  const FetchLimits& limits;
  const std::function<bool()>& stop;
  Bytes body{};
  bool too_long = false;
  bool forbidden = false;
};

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::size_t total = size * count;
  if (total > transfer.limits.bytes - transfer.body.size()) {
    transfer.too_long = true;
    return CURL_WRITEFUNC_ERROR;
  }
  append(transfer.body, view_of({bytes, total}));
  return total;
}

int on_progress(void* user, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up*/, curl_off_t /*up_now*/) {
  return static_cast<const Transfer*>(user)->stop() ? 1 : 0;
}

curl_socket_t open_socket(void* user, curlsocktype /*purpose*/, struct curl_sockaddr* to) {
  auto& transfer = *static_cast<Transfer*>(user);
  // The operator chose the proxy, so its address is not checked.
  if (transfer.limits.proxy.empty() && !may_connect_to(to->addr, to->addrlen, transfer.limits.allowed)) {
    transfer.forbidden = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

void configure(CURL* easy, const std::string& url, Transfer& transfer) {
  const FetchLimits& limits = transfer.limits;
  const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, limits.redirects > 0 ? 1L : 0L);
  set(CURLOPT_MAXREDIRS, limits.redirects);
  set(CURLOPT_PROXY, limits.proxy.c_str());  // empty: no proxy, even if the environment names one
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "usherd");
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect_deadline.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(limits.deadline.count()));
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limits.bytes));
  set(CURLOPT_WRITEFUNCTION, on_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, on_progress);
  set(CURLOPT_XFERINFODATA, &transfer);
  set(CURLOPT_OPENSOCKETFUNCTION, open_socket);
  set(CURLOPT_OPENSOCKETDATA, &transfer);
}

/// Errors: local.
Result<std::unique_ptr<curl_slist, ListFree>> attach(CURL* easy, const FetchBody& body) {
  std::unique_ptr<curl_slist, ListFree> headers(curl_slist_append(nullptr, ("Content-Type: " + body.type).c_str()));
  if (!headers) return fail(Fault::local, "fetch");
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.content.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.content.data());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  return headers;
}

constexpr std::string_view kAgain = "It is tried again by itself.";
constexpr std::string_view kRaise =
    "Raise revocation.max_bytes if the list is that large; it is tried again by itself.";
constexpr std::string_view kTellAuthority = "Tell the authority whose URL it is; it is tried again by itself.";

std::unexpected<Error> failed(CURLcode code, const Transfer& transfer, const std::string& url) {
  const std::string& proxy = transfer.limits.proxy;
  const std::string about =
      url + (proxy.empty() ? "" : " through the proxy " + proxy) + " (" + curl_easy_strerror(code) + ")";
  if (transfer.forbidden)
    return fail(Fault::unreachable, "fetch: address", url + " leads to an address that is not public",
                "If it is meant to be asked, name its network under revocation.addresses.");
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return fail(Fault::cancelled, "fetch");
    case CURLE_FILESIZE_EXCEEDED:
      return fail(Fault::too_long, "fetch", url, std::string(kRaise));
    case CURLE_WRITE_ERROR:
      return transfer.too_long ? fail(Fault::too_long, "fetch", url, std::string(kRaise))
                               : fail(Fault::interrupted, "fetch", about, std::string(kAgain));
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_PROXY:
      return fail(Fault::unreachable, "fetch: connect", about,
                  proxy.empty() ? "It is tried again by itself; check the network if that fails too."
                                : "Check that the proxy runs (revocation.proxy); it is tried again by itself.");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_WEIRD_SERVER_REPLY:
      return fail(Fault::malformed, "fetch", about, std::string(kTellAuthority));
    default:
      return fail(Fault::interrupted, "fetch", about, std::string(kAgain));
  }
}

}  // namespace

Result<Bytes> fetch(const std::string& url, const FetchLimits& limits, const std::function<bool()>& stop,
                    const FetchBody* body) {
  static const CURLcode kOnce = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, EasyFree> easy(kOnce == CURLE_OK ? curl_easy_init() : nullptr);
  if (!easy) return fail(Fault::local, "fetch");
  Transfer transfer{.limits = limits, .stop = stop};
  configure(easy.get(), url, transfer);
  std::unique_ptr<curl_slist, ListFree> headers;  // must live until the transfer ends
  if (body != nullptr) {
    USHER_TRY(headers, attach(easy.get(), *body));
  }
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) return failed(code, transfer, url);
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status == 200) return std::move(transfer.body);
  return fail(Fault::malformed, "fetch: status", url + " answered with HTTP status " + std::to_string(status),
              std::string(kTellAuthority));
}

}  // namespace usher::server
