#include "server/files/file_answer.h"

#include <optional>

#include "media/file_object.h"

namespace usher::server {
namespace {

class PlainAnswer final : public FileAnswer {
 public:
  PlainAnswer(OpenedFilePtr file, std::uint64_t offset) : file_(std::move(file)), at_(offset) {}
  [[nodiscard]] Result<std::size_t> read(MutableView out) override {
    USHER_TRY(const std::size_t got, read_opened(*file_, at_, out));
    if (got == 0) return fail(Fault::interrupted, "file: shorter than it was");
    at_ += got;
    return got;
  }
  [[nodiscard]] std::optional<FileRange> range() const override {
    return FileRange{.descriptor = file_->file.get(), .offset = at_, .size = file_->size() - at_};
  }
  void skip(std::uint64_t bytes) override { at_ += bytes; }
  [[nodiscard]] bool ended() const noexcept override { return at_ >= file_->size(); }
  [[nodiscard]] Result<> check() const override { return check_unchanged(*file_); }

 private:
  OpenedFilePtr file_;
  std::uint64_t at_;
};

class TextAnswer final : public FileAnswer {
 public:
  explicit TextAnswer(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] Result<std::size_t> read(MutableView out) override {
    const View left = view_of(text_).subspan(at_);
    const std::size_t size = std::min(left.size(), out.size());
    std::copy_n(left.begin(), size, out.begin());
    at_ += size;
    return size;
  }
  [[nodiscard]] bool ended() const noexcept override { return at_ == text_.size(); }
  [[nodiscard]] Result<> check() const override { return {}; }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

class SealedAnswer final : public FileAnswer {
 public:
  explicit SealedAnswer(OpenedFilePtr file) : file_(std::move(file)) {}
  [[nodiscard]] Result<> begin(const media::Layout& layout, const Hash256& digest, const crypto::PublicKey& recipient,
                               Random& random) {
    const media::PublicKeyWrapper wrapper(recipient);
    USHER_TRY(media::SealWriter writer, media::SealWriter::begin_file(layout, digest, {&wrapper}, sealed_, random));
    writer_.emplace(std::move(writer));
    return {};
  }
  [[nodiscard]] Result<std::size_t> read(MutableView out) override {
    while (taken_ == sealed_.bytes.size() && !finished_) USHER_CHECK(seal_more());
    const View left = View(sealed_.bytes).subspan(taken_);
    const std::size_t size = std::min(left.size(), out.size());
    std::copy_n(left.begin(), size, out.begin());
    taken_ += size;
    return size;
  }
  [[nodiscard]] bool ended() const noexcept override { return finished_ && taken_ == sealed_.bytes.size(); }
  [[nodiscard]] Result<> check() const override { return check_unchanged(*file_); }

 private:
  Result<> seal_more() {
    sealed_.bytes.clear();
    taken_ = 0;
    if (at_ < file_->size()) {
      if (plain_.empty()) plain_ = crypto::Secret(media::kDefaultChunkSize);
      USHER_TRY(const std::size_t got, read_opened(*file_, at_, plain_.expose_for_writing()));
      if (got == 0) return fail(Fault::interrupted, "file: shorter than it was");
      at_ += got;
      USHER_CHECK(writer_->write(plain_.expose().first(got)));
    }
    if (at_ >= file_->size()) {
      USHER_CHECK(writer_->finish());
      finished_ = true;
    }
    return {};
  }

  OpenedFilePtr file_;
  media::MemorySink sealed_;  // what the writer made last; the part after `taken_` is not read yet
  std::optional<media::SealWriter> writer_;
  crypto::Secret plain_;
  std::uint64_t at_ = 0;
  std::size_t taken_ = 0;
  bool finished_ = false;
};

}  // namespace

Result<FileAnswerPtr> answer_with_file(OpenedFilePtr file, std::uint64_t offset) {
  if (offset > file->size()) return fail(Fault::malformed, "file request: offset beyond the end");
  return std::make_unique<PlainAnswer>(std::move(file), offset);
}

FileAnswerPtr answer_with_text(std::string text) { return std::make_unique<TextAnswer>(std::move(text)); }

Result<FileAnswerPtr> answer_sealed(OpenedFilePtr file, const Hash256& digest, media::Suite suite,
                                    const crypto::PublicKey& recipient, Random& random) {
  const media::Layout layout = media::file_layout(suite, file->size());
  auto answer = std::make_unique<SealedAnswer>(std::move(file));
  USHER_CHECK(answer->begin(layout, digest, recipient, random));
  return answer;
}

}  // namespace usher::server
