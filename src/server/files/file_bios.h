// server/files/file_bios: OpenSSL's input and output on a connection of the file stream.  For file_connection.cpp.
//
// OpenSSL reads from the socket directly. Its output is gathered in the loop's buffer, so that a whole flight (the end
// of a handshake, an answer and close_notify) is one send. If the kernel makes the records, OpenSSL also writes to the
// socket directly. While a worker drives a handshake, the output is gathered in a buffer of the connection itself.
#pragma once

#include <string>

#include <openssl/ssl.h>

#include "base/result.h"
#include "server/files/file_loop.h"

namespace usher::server {

/// Must live as long as the SSL that it is connected to.
class FileBios {
 public:
  explicit FileBios(FileLoop& loop) : loop_(loop) {}
  FileBios(const FileBios&) = delete;
  FileBios& operator=(const FileBios&) = delete;

  /// `offer_kernel`: the kernel may make the records that are sent, if it supports the negotiated suite.
  [[nodiscard]] bool connect(SSL* connection, int socket, bool offer_kernel);
  /// To call after the handshake. True if the kernel makes the records; if not, output is gathered from now on.
  /// Errors: local.
  [[nodiscard]] Result<bool> records_by_kernel(SSL* connection);
  /// From now on output is gathered in the connection's own buffer, and a worker may drive the connection.
  void leave_loop() { apart_ = true; }
  /// Ends what leave_loop() began. Returns the output that was gathered meanwhile.
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
  bool ended_ = false;  // the peer has ended its side
  bool offered_ = false;
  bool apart_ = false;
  Bytes gathered_;  // while apart_: a flight of a handshake
};

/// Why the kernel cannot make records on this machine; the cause may be OpenSSL. Empty: it can.
[[nodiscard]] std::string kernel_tls_missing();

}  // namespace usher::server
