// Tested by tests/programs/doctor_test.cc.

#include "lib/report/doctor_message.h"

namespace zeroshelf::message {

void write_members(JsonWriter& json, const Doctor::Model& model) {
  json.member("name", model.name).path(model.path);
}

void write_members(JsonWriter& json, const Doctor::Missing& missing) {
  json.member("is_needed", missing.is_needed).member("what", missing.what);
  json.member("cure", missing.cure);
}

void write_members(JsonWriter& json, const Doctor& doctor) {
  json.member("version", doctor.version)
      .member("commit", doctor.commit)
      .member("compiler", doctor.compiler)
      .member("libraries", doctor.libraries)
      .member("system", doctor.system)
      .member("processor", doctor.processor)
      .member("cores", doctor.cores)
      .member("memory_limit_bytes", doctor.memory_limit_bytes)
      .member("instruction_set", doctor.instruction_set)
      .member("scan_kernels", doctor.scan_kernels)
      .member("fp32_kernel", doctor.fp32_kernel)
      .member("bf16_kernel", doctor.bf16_kernel)
      .member("bf16_in_hardware", doctor.bf16_in_hardware)
      .member("openblas_core", doctor.openblas_core)
      .member("ocr_folder", doctor.ocr_folder)
      .member("ocr_languages", doctor.ocr_languages)
      .member("models", doctor.models)
      .member("missing", doctor.missing);
}

}  // namespace zeroshelf::message
