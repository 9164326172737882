// net/file_bios: what OpenSSL reads from and writes to on a connection of the file stream.  For file_connection.cpp.
//
// OpenSSL reads from the socket directly. What it writes is gathered in the loop's buffer, so that a whole flight (the
// end of a handshake, an answer and close_notify) is one send. Where the kernel makes the records, it writes to the
// socket directly as well. While a worker drives a handshake, it is gathered in a buffer of the connection's own.
#pragma once

#include <string>

#include <openssl/ssl.h>

#include "base/result.h"
#include "net/file_loop.h"

namespace usher::net {

/// Lives as long as the SSL that it was given to.
class FileBios {
 public:
  explicit FileBios(FileLoop& loop) : loop_(loop) {}
  FileBios(const FileBios&) = delete;
  FileBios& operator=(const FileBios&) = delete;

  /// `offer_kernel`: the kernel may make the records of what is sent, if it knows the suite that is agreed on.
  [[nodiscard]] bool connect(SSL* connection, int socket, bool offer_kernel);
  /// Once the handshake is over: whether the kernel makes the records. If not, what is written is gathered from here on.
  /// Errors: local.
  [[nodiscard]] Result<bool> records_by_kernel(SSL* connection);
  /// From here on what is written is gathered apart, and another thread than the loop's may drive the connection.
  void leave_loop() { apart_ = true; }
  /// The other way; what was gathered apart.
  [[nodiscard]] Bytes back_to_loop();

 private:
  static int receive(BIO* bio, char* data, int size);
  static long control_receiving(BIO* bio, int command, long number, void* pointer);
  static int gather(BIO* bio, const char* data, int size);
  static long control_gathering(BIO* bio, int command, long number, void* pointer);
  [[nodiscard]] BIO* make(const BIO_METHOD* method);
  static const BIO_METHOD* receiving();
  static const BIO_METHOD* gathering();

  FileLoop& loop_;
  int socket_ = -1;
  bool ended_ = false;  // the peer sends no more
  bool offered_ = false;
  bool apart_ = false;
  Bytes gathered_;  // apart: a flight of a handshake
};

/// Why neither kernel nor OpenSSL could make records with the kernel's help; empty: they could.
[[nodiscard]] std::string kernel_tls_missing();

}  // namespace usher::net
