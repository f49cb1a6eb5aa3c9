// Tested by tests/clip/torch_archive_test.cc and, with mutated pickles, by tests/fuzz.
//
// Values lie in one vector and name each other by their places: a pickle nests as deeply as it
// likes, and pointers that own each other would be freed as deeply.

#include "models/checkpoint/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "lib/util/bytes.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

using Kind = PickleValue::Kind;

constexpr size_t kMaxValues = 1'000'000;
constexpr std::string_view kOrderedDict = "collections\nOrderedDict";

// The instructions, by pickletools' names.
enum Instruction : uint8_t {
  kMark = '(',
  kStop = '.',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kGlobal = 'c',
  kReduce = 'R',
  kNewObject = 0x81,
  kBuild = 'b',
  kPersistent = 'Q',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kProtocol = 0x80,
};

class Machine {
 public:
  Machine(std::string_view bytes, const std::string& subject, Pickle::IsKnown is_known,
          std::vector<PickleValue>& values)
      : bytes_(bytes),
        subject_(subject),
        input_(bytes, subject),
        is_known_(is_known),
        values_(values) {}

  // The place of the pickle's value.
  uint32_t run() {
    for (;;) {
      const auto instruction = input_.number<uint8_t>();
      if (instruction == kStop) return pop();
      step(instruction);
    }
  }

 private:
  void step(uint8_t instruction) {
    switch (instruction) {
      case kProtocol:
        input_.take(1);
        break;
      case kMark:
        marks_.push_back(stack_.size());
        break;
      case kNone:
        push({Kind::None, 0, {}, {}});
        break;
      case kNewTrue:
      case kNewFalse:
        push({Kind::Boolean, instruction == kNewTrue ? 1 : 0, {}, {}});
        break;
      case kBinInt:
        push_integer(input_.number<int32_t>());
        break;
      case kBinInt1:
        push_integer(input_.number<uint8_t>());
        break;
      case kBinInt2:
        push_integer(input_.number<uint16_t>());
        break;
      case kLong1:
        push_integer(long_integer());
        break;
      case kBinFloat:
        input_.take(8);
        push({Kind::Real, 0, {}, {}});
        break;
      case kBinUnicode:
        push({Kind::Text, 0, input_.take(input_.number<uint32_t>()), {}});
        break;
      default:
        step_in_containers(instruction);
    }
  }

  void step_in_containers(uint8_t instruction) {
    switch (instruction) {
      case kEmptyTuple:
        push({Kind::Tuple, 0, {}, {}});
        break;
      case kTuple:
        push({Kind::Tuple, 0, {}, pop_to_mark()});
        break;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        push({Kind::Tuple, 0, {}, pop_last(static_cast<size_t>(instruction - kTuple1) + 1)});
        break;
      case kEmptyList:
        push({Kind::List, 0, {}, {}});
        break;
      case kAppend:
        extend(Kind::List, pop_last(1));
        break;
      case kAppends:
        extend(Kind::List, pop_to_mark());
        break;
      case kEmptyDict:
        push({Kind::Dictionary, 0, {}, {}});
        break;
      case kSetItem:
        extend(Kind::Dictionary, pop_last(2));
        break;
      case kSetItems:
        extend(Kind::Dictionary, pop_to_mark());
        break;
      default:
        step_in_names(instruction);
    }
  }

  void step_in_names(uint8_t instruction) {
    switch (instruction) {
      case kGlobal:
        push_global(global_line());
        break;
      case kReduce:
        reduce(pop_last(2));
        break;
      case kNewObject: {
        const std::vector<uint32_t> parts = pop_last(2);
        if (values_[parts[1]].kind != Kind::Tuple || !values_[parts[1]].items.empty())
          input_.fail("an object is made with arguments");
        push({Kind::Object, 0, {}, {global(parts[0])}});
        break;
      }
      case kBuild:
        build(pop());
        break;
      case kPersistent:
        push({Kind::Persistent, 0, {}, pop_last(1)});
        break;
      case kBinPut:
        memo_[input_.number<uint8_t>()] = top();
        break;
      case kLongBinPut:
        memo_[input_.number<uint32_t>()] = top();
        break;
      case kBinGet:
        recall(input_.number<uint8_t>());
        break;
      case kLongBinGet:
        recall(input_.number<uint32_t>());
        break;
      default:
        input_.fail(
            fmt::format("it has the instruction {:#04x}, which no tensor needs", instruction));
    }
  }

  // --- the stack

  void push(PickleValue value) {
    if (values_.size() >= kMaxValues) input_.fail("it has too many values");
    values_.push_back(std::move(value));
    stack_.push_back(static_cast<uint32_t>(values_.size() - 1));
  }
  void push_integer(int64_t number) { push({Kind::Integer, number, {}, {}}); }

  // What lies above the last mark.
  size_t within_reach() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  uint32_t top() const {
    if (within_reach() == 0) input_.fail("a value is missing");
    return stack_.back();
  }
  uint32_t pop() { return pop_last(1).front(); }

  std::vector<uint32_t> pop_last(size_t count) {
    if (within_reach() < count) input_.fail("a value is missing");
    std::vector<uint32_t> popped(stack_.end() - static_cast<ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return popped;
  }

  std::vector<uint32_t> pop_to_mark() {
    if (marks_.empty()) input_.fail("a mark is missing");
    std::vector<uint32_t> popped = pop_last(within_reach());
    marks_.pop_back();
    return popped;
  }

  void recall(uint32_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) input_.fail("it recalls a value that it never had");
    // Two bytes of the pickle for four of memory.
    stack_.push_back(found->second);
  }

  // --- values

  void extend(Kind kind, const std::vector<uint32_t>& items) {
    PickleValue& container = values_[top()];
    if (container.kind != kind || (kind == Kind::Dictionary && items.size() % 2 != 0))
      input_.fail("it fills something that is no container");
    container.items.insert(container.items.end(), items.begin(), items.end());
  }

  int64_t long_integer() {
    const std::string_view bytes = input_.take(input_.number<uint8_t>());
    if (bytes.size() > sizeof(int64_t)) input_.fail("a number is too long");
    uint64_t number = !bytes.empty() && static_cast<int8_t>(bytes.back()) < 0 ? ~uint64_t{0} : 0;
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte)
      number = number << 8 | static_cast<uint8_t>(*byte);
    return static_cast<int64_t>(number);
  }

  // "module\nname\n", as a view of both.
  std::string_view global_line() {
    const size_t begin = bytes_.size() - input_.left();
    const size_t between = bytes_.find('\n', begin);
    const size_t end = between == std::string_view::npos ? between : bytes_.find('\n', between + 1);
    if (end == std::string_view::npos) input_.fail("it ends too early");
    input_.take(end + 1 - begin);
    return bytes_.substr(begin, end - begin);
  }

  void push_global(std::string_view name) {
    if (!is_known_(name)) {
      std::string shown(name);
      std::replace(shown.begin(), shown.end(), '\n', '.');
      throw Error(ErrorCode::Incompatible, subject_,
                  fmt::format("it asks for '{}', which no tensor needs; nothing of it was run",
                              shown.substr(0, 200)),
                  "take weights from a source that you trust, best as safetensors");
    }
    push({Kind::Global, 0, name, {}});
  }

  uint32_t global(uint32_t place) const {
    if (values_[place].kind != Kind::Global) input_.fail("it calls what is no function");
    return place;
  }

  void reduce(const std::vector<uint32_t>& parts) {
    global(parts[0]);
    if (values_[parts[1]].kind != Kind::Tuple) input_.fail("arguments are no tuple");
    if (values_[parts[0]].text == kOrderedDict && values_[parts[1]].items.empty()) {
      push({Kind::Dictionary, 0, {}, {}});
    } else {
      push({Kind::Call, 0, {}, parts});
    }
  }

  // An OrderedDict may have attributes, which say nothing of its items.
  void build(uint32_t state) {
    PickleValue& object = values_[top()];
    if (object.kind == Kind::Dictionary) return;
    if (object.kind != Kind::Object || object.items.size() != 1)
      input_.fail("it gives a state to what has none");
    object.items.push_back(state);
  }

  std::string_view bytes_;
  const std::string& subject_;
  ByteReader input_;
  Pickle::IsKnown is_known_;
  std::vector<PickleValue>& values_;
  std::vector<uint32_t> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, uint32_t> memo_;
};

}  // namespace

Pickle::Pickle(std::string_view bytes, const std::string& subject, IsKnown is_known) {
  root_ = Machine(bytes, subject, is_known, values_).run();
}

}  // namespace zeroshelf
