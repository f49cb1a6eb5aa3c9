#pragma once

// Inside models/clip: a pickle (https://github.com/python/cpython, Lib/pickletools.py) read as
// data. A pickle is a program: it can name any function of Python's and have it called. Here
// nothing is ever called; what it would call becomes a value that says so. Of the instructions only
// those are known that tensors in archives of libtorch need (protocol 2, which it writes).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

struct PickleValue {
  enum class Kind {
    None,
    Boolean,     // number: 0 or 1
    Integer,     // number
    Real,        // its value is not kept: no tensor needs it
    Text,        // text: UTF-8, not checked
    Tuple,       // items
    List,        // items
    Dictionary,  // items: key, value, key, value ...
    Global,      // text: the module, '\n', the name in it
    Persistent,  // items: what names it, one
    Call,        // items: the Global that would be called, its arguments
    Object,      // items: the Global that is its class, and its state where it has one
  };
  Kind kind = Kind::None;
  int64_t number = 0;
  std::string_view text;        // of the pickle's own bytes
  std::vector<uint32_t> items;  // for Pickle::at; may lead back to the value itself
};

class Pickle {
 public:
  // Whether a Global may be named at all.
  using IsKnown = bool (*)(std::string_view global);

  // bytes must outlive the object. Throws Corruption when it is cut short, of more than a million
  // values, or has another instruction, and Incompatible naming a Global that is not known.
  Pickle(std::string_view bytes, const std::string& subject, IsKnown is_known);

  uint32_t root() const { return root_; }
  const PickleValue& at(uint32_t place) const { return values_[place]; }

  // Whether the value is this Kind, and for a Global or Text this text.
  bool is(uint32_t place, PickleValue::Kind kind) const { return at(place).kind == kind; }
  bool is(uint32_t place, PickleValue::Kind kind, std::string_view text) const {
    return is(place, kind) && at(place).text == text;
  }

 private:
  std::vector<PickleValue> values_;
  uint32_t root_ = 0;
};

}  // namespace zeroshelf
