// server/files/file_connection: one connection of the file stream.  For file_stream.cpp only.
#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "server/files/file_answer.h"
#include "server/files/file_bios.h"
#include "server/files/file_loop.h"
#include "wire/file_request.h"

namespace usher::server {

using Steady = std::chrono::steady_clock;
[[nodiscard]] inline Steady::time_point in_time(Milliseconds time) { return Steady::now() + time; }

/// The certificates of `path` without its root: a chain as the peer could have sent it.
[[nodiscard]] inline pki::Chain without_root(const pki::Chain& path) {
  return {path.begin(), path.end() - (path.size() > 1 ? 1 : 0)};
}

/// A connection runs on the thread of its loop, with one exception: if the server's key may block, a worker drives the
/// handshake. The worker then owns the connection until it hands it back.
class FileConnection final : public FileHandshake, public std::enable_shared_from_this<FileConnection> {
 public:
  /// The acceptor has counted the connection; the destructor undoes that. `address`: the peer's. `counted`: the result
  /// of counted_as().
  FileConnection(FileShared& shared, FileLoop& loop, Descriptor socket, std::string address, std::string counted);
  ~FileConnection() override;
  FileConnection(const FileConnection&) = delete;
  FileConnection& operator=(const FileConnection&) = delete;

  void start();
  /// Closes the connection if its deadline has passed.
  void look_at_time(Steady::time_point now);
  /// Verifies the client's certificate by `snapshot`, and closes the connection if it is no longer accepted.
  void verify_again(const FileSnapshot& snapshot);
  /// Closes the connection unless it has a request to answer.
  void close_if_idle();

  // FileHandshake
  [[nodiscard]] Result<> judge(const tls::PeerCertificates& peer) override;
  [[nodiscard]] tls::SessionPtr find_session(View id) override;
  void keep_session(const SSL_SESSION& session) override;

 private:
  using Socket = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;
  enum class State : std::uint8_t {
    handshake,
    shaking,  // a handshake that a worker drives or that waits for one
    line,
    working,
    refusing,
    answering,
    closing,
    lingering,
    closed
  };
  enum class Step : std::uint8_t { again, wait_read, wait_write, later, stop };
  enum class Sent : std::uint8_t { all, some, broken };
  enum class Holder : std::uint8_t { loop, queue, worker };
  /// The result of one step of the handshake.
  struct Shaken {
    int code = SSL_ERROR_NONE;           // from SSL_get_error; SSL_ERROR_NONE: the handshake is complete
    std::string_view reason = "closed";  // of a failure
    std::optional<Error> own{};          // an error of the server's key
  };

  void run();
  void wait(boost::asio::posix::descriptor_base::wait_type what);
  [[nodiscard]] Step step();
  [[nodiscard]] Step shake_hands();
  [[nodiscard]] Step fail_handshake(const Shaken& shaken);
  [[nodiscard]] Shaken drive();
  [[nodiscard]] Step hand_over();
  void take_back(Shaken shaken);
  [[nodiscard]] Step read_line();
  [[nodiscard]] Step take_line(std::string_view line);
  [[nodiscard]] Step begin(const wire::FileRequest& request);
  [[nodiscard]] std::string owner_of_jobs() const { return std::string(text_of(client_.digest)); }
  void begin_working();
  void ask_for_digest(const OpenedFilePtr& file);
  [[nodiscard]] Step ask_for_list(const std::string& prefix);
  /// While workers prepare the answer: closes the connection once the peer has ended it.
  void watch_for_end();
  void look_for_end();
  void continue_with(Result<FileAnswerPtr> answer);
  [[nodiscard]] Result<FileAnswerPtr> answer_with_digest(const OpenedFilePtr& file, const Hash256& digest);
  [[nodiscard]] Step refuse(const Error& error);
  [[nodiscard]] Step send_answer();
  [[nodiscard]] Step send_by_kernel();
  /// Sends one piece of the answer, directly from the file or from `piece_`. Returns the number of bytes sent; 0: the
  /// socket takes no more now.
  [[nodiscard]] Result<std::size_t> send_piece();
  [[nodiscard]] Step finish_answer();
  [[nodiscard]] Step break_off(const Error& error);
  [[nodiscard]] Step linger();

  /// Sends `unsent_` and the gathered output. Keeps in `unsent_` what the socket does not take.
  [[nodiscard]] Sent flush();
  [[nodiscard]] bool send_from(View& bytes);
  /// Ends our side of the connection and waits a short time for the peer's end, so that sent bytes still arrive.
  [[nodiscard]] Step end_gently();
  /// If a worker has the connection, this only shuts the socket down; release() follows when the worker hands it back.
  void close();
  void release();
  void report(std::string_view code);
  [[nodiscard]] std::shared_ptr<const FileSnapshot> snapshot() const { return shared_.snapshot.get(); }

  FileShared& shared_;
  FileLoop& loop_;
  Socket socket_;
  Descriptor taken_;  // the socket, until start() passes it to Asio
  std::list<std::shared_ptr<FileConnection>>::iterator place_;
  FileBios bios_;
  tls::ConnectionPtr tls_;
  std::shared_ptr<const FileContexts> contexts_;
  FileClient client_;
  std::shared_ptr<const pki::TrustStore> judged_by_;  // the trust store that accepted client_
  std::atomic<Holder> holder_ = Holder::loop;         // of tls_, bios_ and the results of the handshake
  std::optional<Shaken> shaken_;                      // a worker's result
  FileAnswerPtr answer_;
  std::shared_ptr<const void> working_;               // while workers prepare the answer; they stop once it is reset
  std::unique_ptr<boost::asio::steady_timer> pause_;  // delays a refusal
  std::unique_ptr<wire::FileRequest> request_;
  std::string line_;
  Bytes unsent_;  // records that the socket did not take
  std::size_t unsent_from_ = 0;
  Bytes piece_;  // a piece of an answer that the kernel encrypts; must not move until the socket has taken it
  std::string address_;
  std::string counted_;
  Steady::time_point deadline_;
  Steady::time_point begun_;  // of the request: when its line was complete
  std::uint64_t bytes_ = 0;   // of the answer
  int queued_ = 0;            // bytes that the peer had not acknowledged when this was last measured
  State state_ = State::handshake;
  bool by_kernel_ = false;  // the kernel makes the records that are sent
  Fault verdict_ = Fault::local;
  bool judged_ = false;       // a certificate was refused
  std::size_t lingered_ = 0;  // bytes that arrived after the request and were dropped
};

}  // namespace usher::server
