// Read back by Exiv2 itself; by exiftool in tests/programs/keywords_test.cc.

#include "lib/xmp/packet_keywords.h"

#include <boost/test/unit_test.hpp>
#include <exiv2/xmp_exiv2.hpp>

#include <map>
#include <string>
#include <vector>

#include "lib/util/error.h"
#include "tests/support/growth.h"

namespace zeroshelf {
namespace {

using Words = std::vector<std::string>;

Words words(const std::string& packet, const char* key) {
  Exiv2::XmpData data;
  BOOST_REQUIRE(Exiv2::XmpParser::decode(data, packet) == 0);
  Words found;
  const auto datum = data.findKey(Exiv2::XmpKey(key));
  if (datum == data.end()) return found;
  for (long i = 0; i < datum->count(); ++i) found.push_back(datum->toString(i));
  return found;
}

Words tags(const std::string& packet) { return words(packet, "Xmp.digiKam.TagsList"); }
Words hierarchy(const std::string& packet) { return words(packet, "Xmp.lr.hierarchicalSubject"); }
Words subject(const std::string& packet) { return words(packet, "Xmp.dc.subject"); }

std::string merged(const std::string& before, std::vector<KeywordPath> paths,
                   KeywordPath root = {"zeroshelf"}) {
  const auto after =
      with_keywords(before, {std::move(root), std::move(paths)}, PacketForm::Sidecar);
  return after.value_or("(same)");
}

// What people's programs write: keywords of their own, and much that is none.
std::string sidecar(const std::string& more = "") {
  return R"(<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 5.5.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:own="http://example.com/own/"
    xmp:Rating="4" crs:Exposure2012="+0.35" own:Word="kept" own:Odd="a &amp; b &#xA;c">
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Garten</rdf:li><rdf:li xml:lang="fr">Jardin</rdf:li></rdf:Alt></dc:title>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default"/></rdf:Alt></dc:description>
   <dc:subject><rdf:Bag><rdf:li>holiday</rdf:li><rdf:li>cat</rdf:li></rdf:Bag></dc:subject>
   <lr:hierarchicalSubject><rdf:Bag><rdf:li>trips|holiday</rdf:li></rdf:Bag></lr:hierarchicalSubject>
   <digiKam:TagsList><rdf:Seq><rdf:li>trips/holiday</rdf:li></rdf:Seq></digiKam:TagsList>
   <crs:ToneCurve><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurve>
   <own:Faces><rdf:Bag><rdf:li own:name="Ann" own:age="7"/><rdf:li own:name="Bob" own:age="9"/></rdf:Bag></own:Faces>
)" + more + R"(
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
)";
}

// Every value but keywords.
std::map<std::string, std::string> everything_else(const std::string& packet) {
  Exiv2::XmpData data;
  BOOST_REQUIRE(Exiv2::XmpParser::decode(data, packet) == 0);
  std::map<std::string, std::string> values;
  for (const auto& datum : data) {
    const std::string key = datum.key();
    const bool is_keyword = key == "Xmp.dc.subject" || key == "Xmp.digiKam.TagsList" ||
                            key == "Xmp.lr.hierarchicalSubject" ||
                            key.starts_with("Xmp.zeroshelf.");
    if (!is_keyword && key != "Xmp.dc.description") values[key] = datum.toString();
  }
  return values;
}

BOOST_AUTO_TEST_SUITE(packet_keywords)

BOOST_AUTO_TEST_CASE(a_new_sidecar_has_what_each_program_reads) {
  const std::string packet = merged("", {{"animal", "bird"}, {"outdoors"}});
  BOOST_TEST((tags(packet) == Words{"zeroshelf/animal/bird", "zeroshelf/outdoors"}));
  BOOST_TEST((hierarchy(packet) == Words{"zeroshelf|animal|bird", "zeroshelf|outdoors"}));
  BOOST_TEST((subject(packet) == Words{"bird", "outdoors"}));
  BOOST_TEST(packet.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x:xmpmeta"));
  BOOST_TEST(merged(packet, {{"animal", "bird"}, {"outdoors"}}) == "(same)");
  BOOST_TEST(merged(packet, {}) == "");
}

BOOST_AUTO_TEST_CASE(what_others_wrote_stays) {
  const std::string before = sidecar();
  const std::string after = merged(before, {{"dog"}});
  BOOST_TEST((tags(after) == Words{"trips/holiday", "zeroshelf/dog"}));
  BOOST_TEST((hierarchy(after) == Words{"trips|holiday", "zeroshelf|dog"}));
  BOOST_TEST((subject(after) == Words{"holiday", "cat", "dog"}));
  BOOST_TEST((everything_else(after) == everything_else(before)));
  BOOST_TEST(everything_else(before).size() > 12u);
  // Taken away again, there is what there was.
  const std::string back = merged(after, {});
  BOOST_TEST((subject(back) == Words{"holiday", "cat"}));
  BOOST_TEST((tags(back) == Words{"trips/holiday"}));
  BOOST_TEST((everything_else(back) == everything_else(before)));
  BOOST_TEST(back.find("zeroshelf") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_keyword_of_somebody_else_is_never_taken_away) {
  // "cat" was there before.
  const std::string named = merged(sidecar(), {{"cat"}});
  BOOST_TEST((subject(named) == Words{"holiday", "cat"}));
  const std::string renamed = merged(named, {{"dog"}});
  BOOST_TEST((subject(renamed) == Words{"holiday", "cat", "dog"}));
  BOOST_TEST((subject(merged(renamed, {{"cat"}})) == Words{"holiday", "cat"}));
  // "dog" is ours until somebody gives it a place of their own.
  const std::string theirs = [&] {
    Exiv2::XmpData data;
    BOOST_REQUIRE(Exiv2::XmpParser::decode(data, renamed) == 0);
    Exiv2::XmpArrayValue value(Exiv2::xmpSeq);
    for (const char* tag : {"zeroshelf/dog", "pets/dog"}) value.read(tag);
    data["Xmp.digiKam.TagsList"].setValue(&value);
    std::string packet;
    BOOST_REQUIRE(Exiv2::XmpParser::encode(packet, data) == 0);
    return packet;
  }();
  const std::string without = merged(theirs, {});
  BOOST_TEST((subject(without) == Words{"holiday", "cat", "dog"}));
  BOOST_TEST((tags(without) == Words{"pets/dog"}));
}

BOOST_AUTO_TEST_CASE(roots_are_kept_apart) {
  const std::string one = merged(sidecar(), {{"dog"}});
  const std::string both = merged(one, {{"garden"}}, {"machine", "places"});
  BOOST_TEST((tags(both) == Words{"trips/holiday", "zeroshelf/dog", "machine/places/garden"}));
  const std::string again = merged(both, {{"dog"}}, {"machine", "places"});
  BOOST_TEST((subject(again) == Words{"holiday", "cat", "dog"}));
  // Still said below the other root.
  BOOST_TEST((subject(merged(again, {})) == Words{"holiday", "cat", "dog"}));
  BOOST_TEST((subject(merged(merged(again, {}), {}, {"machine", "places"})) ==
              Words{"holiday", "cat"}));
  // A root is a name and not the beginning of one.
  const std::string longer = merged(one, {{"bird"}}, {"zeroshelf2"});
  BOOST_TEST((tags(merged(longer, {})) == Words{"trips/holiday", "zeroshelf2/bird"}));
}

BOOST_AUTO_TEST_CASE(names_with_marks_of_xml_and_of_lightroom_are_names) {
  const std::string packet = merged("", {{"<b> & \"c\"", "Äpfel|Birnen"}});
  BOOST_TEST((tags(packet) == Words{"zeroshelf/<b> & \"c\"/Äpfel|Birnen"}));
  BOOST_TEST((hierarchy(packet) == Words{"zeroshelf|<b> & \"c\"|Äpfel_Birnen"}));
  BOOST_TEST(merged(packet, {{"<b> & \"c\"", "Äpfel|Birnen"}}) == "(same)");
  BOOST_TEST(merged(packet, {}) == "");
}

BOOST_AUTO_TEST_CASE(the_form_of_a_packet_is_kept) {
  const std::string wrapped = "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" +
                              sidecar().substr(sidecar().find("<x:")) + "<?xpacket end=\"w\"?>";
  const std::string after = merged(wrapped, {{"dog"}});
  BOOST_TEST(after.starts_with("<?xpacket begin="));
  BOOST_TEST((everything_else(after) == everything_else(wrapped)));
  const auto in_picture = with_keywords("", {{"zeroshelf"}, {{"dog"}}}, PacketForm::Picture);
  BOOST_REQUIRE(in_picture.has_value());
  BOOST_TEST(in_picture->find('\n') == std::string::npos);
  // One word in place of a list.
  const std::string odd = merged(
      R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:subject="cat"/></rdf:RDF></x:xmpmeta>)",
      {{"dog"}});
  BOOST_TEST((subject(odd) == Words{"cat", "dog"}));
  BOOST_TEST((subject(merged(std::string(empty_packet()), {{"dog"}})) == Words{"dog"}));
}

BOOST_AUTO_TEST_CASE(others_keywords_are_all_but_ours) {
  const std::string packet =
      merged(merged(sidecar(), {{"animal", "dog"}}), {{"garden"}}, {"machine"});
  const std::vector<KeywordPath> found = others_keywords(packet, {"zeroshelf"});
  BOOST_TEST((found == std::vector<KeywordPath>{{"trips", "holiday"}, {"holiday"}, {"cat"}}));
  // A keyword that was there stays theirs, even where we say the same.
  const std::string same = merged(sidecar(), {{"cat"}});
  BOOST_TEST((others_keywords(same, {"zeroshelf"}) ==
              std::vector<KeywordPath>{{"trips", "holiday"}, {"holiday"}, {"cat"}}));
}

BOOST_AUTO_TEST_CASE(what_is_no_xmp_is_refused) {
  const auto refused = [](const std::string& packet) {
    BOOST_CHECK_EXCEPTION(merged(packet, {{"dog"}}), Error, [](const Error& error) {
      return error.code() == ErrorCode::Corruption && error.subject().empty();
    });
    BOOST_CHECK_THROW(others_keywords(packet, {"zeroshelf"}), Error);
  };
  refused("x");
  refused(std::string("\0\0\0", 3));
  refused("<html><body>no</body></html>");
  refused(sidecar().substr(0, sidecar().size() - 30));
  refused("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">"
          "<!ENTITY c \"&b;&b;&b;&b;\">]>" +
          sidecar("<own:bomb>&c;</own:bomb>").substr(sidecar().find("<x:")));
  // A qualifier on a keyword, which a plain list would lose.
  refused(sidecar("").replace(sidecar().find("<rdf:li>holiday"), 8, "<rdf:li xml:lang=\"en\">"));
}

BOOST_AUTO_TEST_CASE(hostile_packets_cost_little) {
  const double start = testing::processor_seconds();
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<own:a>";
  BOOST_CHECK_THROW(merged(sidecar(deep), {{"dog"}}), Error);
  std::string nested;
  for (int i = 0; i < 900; ++i) nested += "<own:a><rdf:Bag><rdf:li>";
  for (int i = 0; i < 900; ++i) nested += "</rdf:li></rdf:Bag></own:a>";
  BOOST_CHECK_THROW(merged(sidecar(nested), {{"dog"}}), Error);
  std::string many;
  for (int i = 0; i < 400'000; ++i) many += "<own:a" + std::to_string(i) + "/>";
  BOOST_CHECK_THROW(merged(sidecar(many), {{"dog"}}), Error);
  BOOST_CHECK_THROW(merged(sidecar(std::string(kMostPacketBytes, ' ')), {{"dog"}}), Error);
  // As much as is let through.
  std::string most;
  for (int i = 0; i < 6'000; ++i) most += "<own:a" + std::to_string(i) + ">v</own:a" + std::to_string(i) + ">";
  BOOST_TEST((subject(merged(sidecar(most), {{"dog"}})) == Words{"holiday", "cat", "dog"}));
  std::string keywords;
  for (int i = 0; i < 9'000; ++i) keywords += "<rdf:li>k" + std::to_string(i) + "</rdf:li>";
  BOOST_TEST(tags(merged(sidecar("<own:k><rdf:Bag>" + keywords + "</rdf:Bag></own:k>"), {{"dog"}})).size() == 2u);
  const double spent = testing::processor_seconds() - start;
  BOOST_TEST_MESSAGE("took " << spent << " s");
  BOOST_TEST(spent < 60);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
