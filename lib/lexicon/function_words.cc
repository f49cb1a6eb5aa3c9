// Tested by tests/lexicon/function_words_test.cc.

#include "lib/lexicon/function_words.h"

#include <algorithm>
#include <map>
#include <set>

#include "lib/lexicon/tokens.h"

namespace zeroshelf {
namespace {

struct List {
  const char* language;
  const char* words;
};

// Articles, pronouns, prepositions, conjunctions, auxiliary verbs. No verbs, nouns and adjectives
// of their own meaning, however frequent: somebody looks for them. Terms have no apostrophes, so
// "he'll" would be hell, "she'll" shell, "we'll" well and "i'll" ill.
constexpr List kLists[] = {
    {"eng",
     "a an the this that these those i me my mine you your yours he him his she her hers it its we "
     "us our ours they them their theirs who whom whose which what and or but nor so if then than "
     "as at by for from in into of off on onto out over to up with without about after before "
     "between during through under until while because though although am is are was were be been "
     "being do does did done doing have has had having will would shall should can could may might "
     "must not no yes there here when where why how all any both each some such only own same too "
     "very just i'm you're he's she's it's we're they're i've you've we've they've you'll "
     "they'll isn't aren't wasn't weren't don't doesn't didn't won't wouldn't "
     "can't couldn't shouldn't haven't hasn't hadn't that's there's what's"},
    {"deu",
     "der die das den dem des ein eine einer eines einem einen kein keine keiner keinen ich mich "
     "mir mein meine du dich dir dein deine er ihn ihm sein seine sie ihr ihre es wir uns unser "
     "euch euer man sich und oder aber denn sondern wenn weil dass ob als wie so zu zum zur im in "
     "ins an am ans auf aus bei beim bis durch für gegen mit nach ohne seit über um unter von vom "
     "vor während wegen zwischen bin bist ist sind seid war waren wird werden wurde worden haben "
     "hat habe hatte hatten kann können muss müssen soll sollen will wollen nicht nur noch schon "
     "auch da hier dort wer was wo wann warum dieser diese dieses jeder jede jedes alle sehr"},
    {"fra",
     "le la les l un une des du de d au aux ce cet cette ces je me moi mon ma mes tu te toi ton ta "
     "tes il lui son sa ses elle on nous notre nos vous votre vos ils elles leur leurs se soi qui "
     "que quoi dont où et ou mais donc or ni car si comme quand à en dans par pour sur sous avec "
     "sans chez entre vers avant après est es suis sommes êtes sont était étaient être été ai as a "
     "avons avez ont avait avoir eu ne pas plus non y très tout tous toute toutes c'est j'ai n'est "
     "qu'il qu'elle d'un d'une"},
    {"spa",
     "el la los las lo un una unos unas al del de a ante bajo con contra desde en entre hacia hasta "
     "para por según sin sobre tras yo me mi mis mí tú te tu tus ti él se su sus sí ella ello "
     "nosotros nos nuestro nuestra vosotros os ellos ellas les le usted ustedes que quien cual y e "
     "o u pero sino si como cuando donde porque es son soy eres somos era eran fue ser sido está "
     "están estoy ha han he hay había haber no ni muy más ya este esta estos estas ese esa eso esto"},
    {"ita",
     "il lo la i gli le un uno una del dello della dei degli delle di a al allo alla ai agli alle "
     "da dal dalla in nel nella con su sul sulla per tra fra io mi me mio mia tu ti te tuo tua lui "
     "lei si suo sua noi ci nostro voi vi vostro loro che chi cui e ed o ma se come quando dove "
     "perché è sono sei siamo siete era erano essere stato ho hai ha abbiamo avete hanno aveva "
     "avere non più anche molto questo questa quello quella"},
    {"por",
     "o a os as um uma uns umas do da dos das de no na nos nas em ao à aos às por pelo pela para "
     "com sem sob sobre entre até desde eu me mim meu minha tu te ti teu tua ele ela se si seu sua "
     "nós nosso vós eles elas lhe lhes você vocês que quem qual e ou mas se como quando onde porque "
     "é são sou és somos era eram foi ser sido está estão estou há tem tinha ter não nem muito mais "
     "já este esta isto esse essa isso"},
    {"nld",
     "de het een der des den ik me mij mijn je jij jou jouw u uw hij hem zijn ze zij haar het we "
     "wij ons onze jullie hun hen men zich die dat dit deze wie wat welke en of maar want als dan "
     "toen omdat terwijl in op aan uit van voor naar bij met zonder over onder door tot tegen om te "
     "ben bent is was waren word wordt worden werd heb hebt heeft hebben had kan kunnen moet moeten "
     "zal zullen niet geen ook nog wel al zo er hier daar waar hoe"},
    {"swe",
     "en ett den det de dem jag mig min mitt mina du dig din ditt dina han honom hans hon henne "
     "hennes vi oss vår ni er man sig sin sitt sina som vem vad vilken och eller men att om när "
     "där här hur i på av för från till med utan under över vid mot är var vara varit blir blev har "
     "hade kan ska skulle måste inte så också bara"},
    {"dan",
     "en et den det de dem jeg mig min mit mine du dig din dit dine han ham hans hun hende hendes "
     "vi os vores i jer man sig sin sit sine som hvem hvad hvilken og eller men at om når der her "
     "hvor i på af for fra til med uden under over ved mod er var være været bliver blev har havde "
     "kan skal skulle må ikke så også kun"},
    {"nor",
     "en et ei den det de dem jeg meg min mitt mine du deg din ditt dine han ham hans hun henne "
     "hennes vi oss vår dere man seg sin sitt sine som hvem hva hvilken og eller men at om når der "
     "her hvor i på av for fra til med uten under over ved mot er var være vært blir ble har hadde "
     "kan skal skulle må ikke så også bare"},
    {"pol",
     "ja mnie mi mój moja moje ty ciebie ci twój twoja twoje on jego jemu ona jej ono my nas nam "
     "nasz wy was wam wasz oni ich im się swój kto co który która które i oraz a lub albo ale że "
     "gdy kiedy gdzie jak bo czy w we na z ze do od o po za przez dla bez pod nad przy jestem "
     "jesteś jest jesteśmy są był była było były być będzie mam masz ma nie tak też już to ten ta "
     "te tego tej tym"},
    {"rus",
     "я меня мне мной мой моя моё мои ты тебя тебе твой твоя он его ему ним она её ей оно мы нас "
     "нам наш вы вас вам ваш они их им себя свой кто что который которая и или но а да что чтобы "
     "если когда где как потому в во на с со из к ко от до о об по за у для без под над при через "
     "есть был была было были быть будет не ни так же бы ли уже это этот эта эти тот та те"},
    {"tur",
     "bir bu şu o ben beni bana benim sen seni sana senin onu ona onun biz bizi bize bizim siz sizi "
     "size sizin onlar onları onlara onların kim ne hangi ve veya ya da de ki ama fakat çünkü eğer "
     "gibi için ile kadar göre sonra önce mi mı mu mü değil var yok çok daha en her hiç"},
};

const std::map<std::string, std::set<std::string>, std::less<>>& lists() {
  static const auto made = [] {
    std::map<std::string, std::set<std::string>, std::less<>> result;
    for (const List& list : kLists)
      for (std::string& term : terms_of(list.words)) result[list.language].insert(std::move(term));
    return result;
  }();
  return made;
}

}  // namespace

bool is_function_word(std::string_view term, std::string_view languages) {
  while (!languages.empty()) {
    const size_t end = languages.find('+');
    const auto list = lists().find(languages.substr(0, end));
    if (list != lists().end() && list->second.contains(std::string(term))) return true;
    if (end == std::string_view::npos) return false;
    languages.remove_prefix(end + 1);
  }
  return false;
}

std::vector<std::string> languages_with_function_words() {
  std::vector<std::string> languages;
  for (const auto& [language, words] : lists()) languages.push_back(language);
  return languages;
}

}  // namespace zeroshelf
