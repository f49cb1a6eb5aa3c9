#pragma once

// The keywords in an XMP packet, as digiKam, Lightroom, Immich, darktable and file managers read
// and write them; a sidecar is a packet in a file of its own. The only user of Exiv2.
//
//   digiKam:TagsList         "zeroshelf/animal/bird"
//   lr:hierarchicalSubject   "zeroshelf|animal|bird"
//   dc:subject               "bird"
//
// dc:subject has no root that would tell whose a keyword is. Which of them are ours is said beside
// it, in zeroshelf:subjects (paths as in TagsList). One that was there before stays somebody
// else's, and one that lies elsewhere in their hierarchy too is not taken away.
//
// A packet is hostile: before it is parsed its size and the number of its elements are limited; a
// document type, entities and elements in more than 1000 others are refused by the parser.
// Threads: any; one at a time works, the others wait.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/xmp/keyword_path.h"

namespace zeroshelf {

// No larger one is read: sidecars have some kilobytes, with a long history of edits some hundred.
inline constexpr size_t kMostPacketBytes = size_t{1} << 24;

// What shall stand below our root: these paths, and nothing else.
struct OwnKeywords {
  KeywordPath root;                // at least one part
  std::vector<KeywordPath> paths;  // without the root, at least one part each; none: all go
};

enum class PacketForm {
  Sidecar,  // a file for people's programs, with line breaks
  Picture,  // as short as can be
};

// The packet with our keywords; absent where it says just that already. before: empty for none.
// Everything else that is in it stays. An empty result: nothing is left in it.
// Throws Corruption for what is no XMP, or could not be written again without a loss; the subject
// is empty.
std::optional<std::string> with_keywords(std::string_view before, const OwnKeywords& own,
                                         PacketForm form);

// The keywords in a packet that are not ours, by any of the three properties: those not below root,
// and of dc:subject those that we did not put there. Throws Corruption for what is no XMP.
std::vector<KeywordPath> others_keywords(std::string_view packet, const KeywordPath& root);

// A packet that says nothing.
std::string_view empty_packet();

}  // namespace zeroshelf
