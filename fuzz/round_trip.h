// fuzz/round_trip: the property that most targets assert.
#pragma once

#include <cstdlib>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::fuzz {

/// Ends the program if a property does not hold: the fuzzer keeps the input.
inline void must(bool held) {
  if (!held) std::abort();
}

/// For a call that is made only for its effect: an error is as good as a value.
template <class T>
void either_way(const T& /*outcome*/) {}

/// Decoding and encoding again gives the same bytes: one encoding for each value.
template <class T>
void one_encoding(View bytes) {
  if (const auto value = T::decode(bytes)) must(same(value->encode(), bytes));
}

}  // namespace usher::fuzz
