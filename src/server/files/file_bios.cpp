#include "server/files/file_bios.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/descriptor.h"

namespace usher::server {

// --- input. Never through kernel TLS: linger() reads raw bytes from the socket after the answer was sent.

int FileBios::receive(BIO* bio, char* data, int size) {
  auto& self = *static_cast<FileBios*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(self.socket_, data, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
  if (got == 0) self.ended_ = true;
  return static_cast<int>(got);
}

long FileBios::control_receiving(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_EOF) return static_cast<FileBios*>(BIO_get_data(bio))->ended_ ? 1 : 0;
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_PUSH || command == BIO_CTRL_POP ? 1 : 0;
}

const BIO_METHOD* FileBios::receiving() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "usher receiving");
    BIO_meth_set_read(made, receive);
    BIO_meth_set_ctrl(made, control_receiving);
    return made;
  }();
  return method;
}

// --- output

int FileBios::gather(BIO* bio, const char* data, int size) {
  auto& self = *static_cast<FileBios*>(BIO_get_data(bio));
  FileLoop& loop = self.loop_;
  BIO_clear_retry_flags(bio);
  const auto count = static_cast<std::size_t>(size);
  if (self.apart_) {
    append(self.gathered_, View(reinterpret_cast<const std::uint8_t*>(data), count));
    return size;
  }
  if (count > loop.out.size() - loop.out_size) {
    BIO_set_retry_write(bio);
    return -1;
  }
  // Every byte of output passes here, so this uses the fastest copy.
  std::memcpy(loop.out.data() + loop.out_size, data, count);
  loop.out_size += count;
  return size;
}

long FileBios::control_gathering(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_PUSH || command == BIO_CTRL_POP ? 1 : 0;
}

const BIO_METHOD* FileBios::gathering() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "usher gathering");
    BIO_meth_set_write(made, gather);
    BIO_meth_set_ctrl(made, control_gathering);
    return made;
  }();
  return method;
}

// --- both directions

Bytes FileBios::back_to_loop() {
  apart_ = false;
  return std::exchange(gathered_, {});
}

BIO* FileBios::make(const BIO_METHOD* method) {
  BIO* bio = BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

bool FileBios::connect(SSL* connection, int socket, bool offer_kernel) {
  socket_ = socket;
  offered_ = offer_kernel;
  BIO* from = make(receiving());
  BIO* into = offer_kernel ? BIO_new_socket(socket, BIO_NOCLOSE) : make(gathering());
  if (from == nullptr || into == nullptr) {
    BIO_free(from);
    BIO_free(into);
    return false;
  }
  SSL_set_bio(connection, from, into);
  if (offer_kernel) SSL_set_options(connection, SSL_OP_ENABLE_KTLS);
  return true;
}

Result<bool> FileBios::records_by_kernel(SSL* connection) {
  if (!offered_) return false;
  if (BIO_get_ktls_send(SSL_get_wbio(connection))) return true;
  BIO* into = make(gathering());
  if (into == nullptr) return crypto::ossl_fail(Fault::local, "file stream: connection");
  SSL_set0_wbio(connection, into);
  return false;
}

std::string kernel_tls_missing() {
#ifdef OPENSSL_NO_KTLS
  return "this OpenSSL was built without it";
#else
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  static constexpr char kUpperLayer[] = "tls";
  if (!socket.is_open()) return std::generic_category().message(errno);
  // A kernel that knows TLS refuses it with ENOTCONN on a socket that is not connected.
  const int known = ::setsockopt(socket.get(), IPPROTO_TCP, TCP_ULP, kUpperLayer, sizeof kUpperLayer);
  if (known == 0 || errno == ENOTCONN) return {};
  if (errno == ENOENT) return "this kernel does not have it, or its module tls is not loaded";
  return std::generic_category().message(errno);
#endif
}

}  // namespace usher::server
