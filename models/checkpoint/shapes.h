#pragma once

// Inside models/checkpoint: what the shapes of tensors say of a model whose configuration does not.

#include <map>
#include <string>

#include "models/checkpoint/config.h"
#include "models/checkpoint/safetensors.h"

namespace zeroshelf {

// OpenAI's archives, ViTs and ResNets. The activations are those of all that OpenAI published.
// subject: the file, for errors. Throws Corruption naming the tensor.
ClipConfig openai_config(const std::map<std::string, TensorView>& tensors,
                         const std::string& subject);

// Adds what read_m_clip_config leaves open. Throws Corruption naming the tensor.
void complete_m_clip(const std::map<std::string, TensorView>& tensors, const std::string& subject,
                     ClipConfig& config);

}  // namespace zeroshelf
