#include "pki/pem.h"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "pki/x509.h"

namespace usher::pki {

Result<std::vector<Bytes>> pem_blocks(std::string_view text, std::initializer_list<std::string_view> labels,
                                      std::size_t max) {
  constexpr std::string_view kWhere = "PEM";
  const crypto::BioPtr bio = reading(text);
  std::vector<Bytes> blocks;
  while (true) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (!bio || PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) break;
    const auto length = static_cast<std::size_t>(size);
    const bool wanted = std::ranges::find(labels, std::string_view(name)) != labels.end();
    const bool too_many = blocks.size() == max;
    if (wanted && !too_many) blocks.emplace_back(data, data + length);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, length);  // it may be a private key, by mistake
    if (!wanted) return fail(Fault::malformed, kWhere);
    if (too_many) return fail(Fault::too_long, kWhere);
  }
  // Reading must end at the end of the text: a damaged block must not be skipped like a missing block.
  const unsigned long reason = ERR_peek_last_error();
  ERR_clear_error();
  if (blocks.empty() || ERR_GET_REASON(reason) != PEM_R_NO_START_LINE) return fail(Fault::malformed, kWhere);
  return blocks;
}

Result<std::vector<Bytes>> der_or_pem(View content, std::initializer_list<std::string_view> labels, std::size_t max) {
  if (!content.empty() && content.front() == 0x30) return std::vector<Bytes>{to_bytes(content)};
  return pem_blocks(text_of(content), labels, max);
}

}  // namespace usher::pki
