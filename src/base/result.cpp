#include "base/result.h"

#include <array>

namespace usher {
namespace {

struct Row {
  std::string_view code;
  ExitClass exit_class;
  std::string_view sentence;
  std::string_view advice;
};

constexpr std::array kRows{
#define FAULT(name, code, exit_class, sentence, advice) Row{code, ExitClass::exit_class, sentence, advice},
#include "base/faults.def"
#undef FAULT
};

const Row& row_of(Fault fault) noexcept { return kRows[static_cast<std::size_t>(fault)]; }

}  // namespace

std::string_view code_of(Fault fault) noexcept { return row_of(fault).code; }

ExitClass exit_class_of(Fault fault) noexcept { return row_of(fault).exit_class; }

std::string sentence_of(const Error& error) {
  std::string text{row_of(error.fault).sentence};
  if (!error.about.empty()) {
    text.pop_back();  // the full stop
    text.append(": ").append(error.about).append(".");
  }
  return text;
}

std::string_view advice_of(const Error& error) noexcept {
  return error.advice.empty() ? row_of(error.fault).advice : std::string_view(error.advice);
}

std::string explain(const Error& error) {
  std::string text = sentence_of(error);
  if (const std::string_view advice = advice_of(error); !advice.empty()) text.append(" ").append(advice);
  return text;
}

Fault fault_of_code(std::string_view code) noexcept {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].code == code) return static_cast<Fault>(i);
  }
  return Fault::local;
}

}  // namespace usher
