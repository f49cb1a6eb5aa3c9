#!/usr/bin/env bash
# Downloads published CLIP and SigLIP checkpoints to where --model NAME finds them, and checks their SHA-256.
# Installed as zeroshelf-fetch. Run it with --help, or read docs/models.md. Tested by tests/models/fetch_test.py.
set -euo pipefail

openai_url=${ZEROSHELF_OPENAI_URL:-https://openaipublic.azureedge.net}
github_url=${ZEROSHELF_GITHUB_URL:-https://raw.githubusercontent.com}
hugging_face_url=${ZEROSHELF_HF_URL:-https://huggingface.co}
retries=${ZEROSHELF_FETCH_RETRIES:-5}
# No more is ever written of one file, whatever a server sends. The largest CLIP published has 10 GB of weights; of a
# tokenizer zeroshelf reads at most 256 MiB.
weights_limit=${ZEROSHELF_FETCH_LIMIT:-64000000000} small_limit=$((256 << 20)) answer_limit=$((1 << 20))
delay_s=${ZEROSHELF_FETCH_DELAY:-3}
# As it is called: a script of the source tree, or a program.
called=models/fetch.sh
[[ $0 == *.sh ]] || called=${0##*/}

vocabulary_name=bpe_simple_vocab_16e6.txt.gz
vocabulary_path=openai/CLIP/main/clip/$vocabulary_name
vocabulary_sha256=924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a

# name, kind, path ({} stands for the checksum), SHA-256 of the weights (- for none), MB
# openai: a file of OpenAI's. hf, openclip: OWNER/REPO@REVISION on Hugging Face, in that layout.
# Some of these commits are not in the main branch, which has no safetensors there.
models() {
  cat <<'TABLE'
ViT-B-32       openai clip/models/{}/ViT-B-32.pt       40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af 354
ViT-B-16       openai clip/models/{}/ViT-B-16.pt       5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f 351
ViT-L-14       openai clip/models/{}/ViT-L-14.pt       b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836 933
ViT-L-14-336px openai clip/models/{}/ViT-L-14-336px.pt 3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02 934
clip-vit-base-patch32 hf openai/clip-vit-base-patch32@b33cedfd0df4e43b8238760678fcc89e1a0d38b3 99d28a652e6ec46629ab7047a0ac82c69b1fe11e0ce672c43af65d3a9a3fc05d 605
clip-vit-base-patch16 hf openai/clip-vit-base-patch16@main - 599
clip-vit-large-patch14 hf openai/clip-vit-large-patch14@32bd64288804d66eefd0ccbe215aa642df71cc41 a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb 1711
clip-vit-large-patch14-336 hf openai/clip-vit-large-patch14-336@main - 1712
CLIP-ViT-B-32-laion2B-s34B-b79K openclip laion/CLIP-ViT-B-32-laion2B-s34B-b79K@1a25a446712ba5ee05982a381eed697ef9b435cf ac4f8c4b88af6d963118cbf40ad93176d092abbedfcb752601ae1866352656e6 605
RN50           openai clip/models/{}/RN50.pt           afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762
RN101          openai clip/models/{}/RN101.pt          8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599
RN50x4         openai clip/models/{}/RN50x4.pt         7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd
RN50x16        openai clip/models/{}/RN50x16.pt        52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa
RN50x64        openai clip/models/{}/RN50x64.pt        be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c
siglip2-base-patch16-256 hf google/siglip2-base-patch16-256@main - 1500
siglip2-so400m-patch14-384 hf google/siglip2-so400m-patch14-384@main - 4540
SigLIP-B-16 openclip timm/ViT-B-16-SigLIP@main - 813
MobileCLIP2-L-14 openclip timm/MobileCLIP2-L-14-OpenCLIP@main -
DFN2B-CLIP-ViT-L-14 openclip apple/DFN2B-CLIP-ViT-L-14@main -
metaclip-b32-fullcc2.5b hf facebook/metaclip-b32-fullcc2.5b@main - 605
CLIP-ViT-B-32-DataComp.XL-s13B-b90K openclip laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K@main - 605
CLIP-ViT-L-14-DataComp.XL-s13B-b90K openclip laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K@main - 1711
CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k openclip laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k@main -
XLM-Roberta-Large-Vit-B-32 hf M-CLIP/XLM-Roberta-Large-Vit-B-32@main - 2240
XLM-Roberta-Large-Vit-L-14 hf M-CLIP/XLM-Roberta-Large-Vit-L-14@main - 2240
TABLE
}

# What a row is: languages, licence as its publisher names it, and what it is good for. docs/models.md has the sources.
about() { # NAME
  case "$1" in
    ViT-B-32 | clip-vit-base-patch32) echo "English|MIT|the usual choice: small and quick" ;;
    ViT-B-16 | clip-vit-base-patch16) echo "English|MIT|finer than ViT-B-32, at four times the work" ;;
    ViT-L-14* | clip-vit-large-*) echo "English|MIT|OpenAI's best, at some twenty times the work" ;;
    RN*) echo "English|MIT|OpenAI's ResNets, for comparison with articles that used them" ;;
    siglip2-base-*) echo "many|Apache-2.0|the one to take: the best search for its work, with --multi" ;;
    siglip2-so400m-*) echo "many|Apache-2.0|the best that is read here, for a machine with many cores" ;;
    SigLIP-*) echo "English|Apache-2.0|SigLIP's first version: a smaller download" ;;
    MobileCLIP2-*) echo "English|apple-amlr (research)|trained to be good for its size" ;;
    DFN2B-*) echo "English|apple-amlr (research)|trained on filtered pictures" ;;
    metaclip-*) echo "English|CC-BY-NC-4.0|OpenAI's recipe on public data" ;;
    *xlm-roberta*) echo "many|MIT|questions in other languages; pictures of its own" ;;
    XLM-Roberta-*-B-32) echo "48|-|only with --text-model, for collections of ViT-B-32" ;;
    XLM-Roberta-*-L-14) echo "48|-|only with --text-model, for collections of ViT-L-14" ;;
    CLIP-*) echo "English|MIT|OpenAI's shapes on open data" ;;
    *) echo "-|-|" ;;
  esac
}

usage() {
  sed "s|models/fetch.sh|$called|" <<'HELP'
usage: models/fetch.sh [--to DIR] [--sha256 HEX] NAME
       models/fetch.sh --list | --help

Downloads a published CLIP checkpoint, checks its SHA-256, and installs it where --model NAME finds it.
An interrupted download goes on where it stopped when you run the same command again.

NAME
  ViT-B-32, ViT-B/16, ...       OpenAI's files, as --list has them; / and @ may stand for -
  openai/clip-vit-base-patch32  a Hugging Face repository that --list has
  hf:OWNER/REPO[@REVISION]      any Hugging Face repository with such a model; REVISION is a branch, a
                                tag, a commit or refs/pr/N (default: what --list has, else main)

options
  --to DIR       install there (default: the first folder of $ZEROSHELF_MODELS, else
                 ${XDG_DATA_HOME:-~/.local/share}/zeroshelf/models)
  --sha256 HEX   the weights must have this checksum
  --list         the models known by name
  --help         this text

What a checksum proves
  pinned    The checksum is in this script (or came from --sha256): you get that very file, whoever serves it.
  server's  The server that sends the file also names its checksum: the transfer is intact, and nothing more.
            Whoever controls the repository decides what the file is.
  A Hugging Face folder's small files (configuration, vocabulary) have no checksum of their own: with a commit as
  REVISION they are those of that commit, as far as the server is honest. SHA256SUMS in the folder records what
  arrived.

environment
  ZEROSHELF_OPENAI_URL, ZEROSHELF_GITHUB_URL, ZEROSHELF_HF_URL
      mirrors, in place of https://openaipublic.azureedge.net, https://raw.githubusercontent.com and
      https://huggingface.co
  ZEROSHELF_FETCH_TABLE=FILE
      more names, one a line: NAME KIND PATH SHA256 [MB [VOCABULARY-SHA256]]
      KIND is openai (PATH below ZEROSHELF_OPENAI_URL), hf or openclip (PATH is OWNER/REPO@REVISION, the layout of
      Hugging Face or of OpenCLIP). {} in PATH stands for SHA256, - for a value that is not given.
  ZEROSHELF_FETCH_RETRIES, ZEROSHELF_FETCH_DELAY
      how often a broken transfer is taken up again (default 5), and the seconds between (default 3)
  ZEROSHELF_FETCH_LIMIT
      the most bytes that are taken of one file (default 64000000000), and never more than the server said before;
      of configuration and vocabulary at most 256 MiB

Exit codes: 0 installed, or it was already; 2 it could not be done, and nothing was installed.
HELP
}

# For a terminal: without control characters. What a server said goes through told besides.
shown() { printf '%s' "${1//[[:cntrl:]]/?}"; }
told() { # TEXT: printable ASCII, and not too much of it
  local LC_ALL=C text=${1:0:300}
  printf '%s' "${text//[^ -~]/?}"
}

die() { # SUBJECT CAUSE CURE
  printf '%s: %s: %s; %s\n' "${called##*/}" "$(shown "$1")" "$(shown "$2")" "$(shown "$3")" >&2
  exit 2
}

note() { if [ -t 2 ]; then printf '%s\n' "$(shown "$*")" >&2; fi; }

progress=(--silent)
if [ -t 2 ]; then progress=(--progress-bar); fi

is_sha256() { [[ $1 =~ ^[0-9a-f]{64}$ ]]; }
sha256_of() { sha256sum <"$1" | cut -d' ' -f1; }
has_sha256() { [ "$(sha256_of "$1")" = "$2" ]; }

# ---- Names

# A row of the tables -> name, kind, path, sha256, size_mb, row_vocabulary_sha256.
read_row() {
  local rest
  read -r name kind path sha256 size_mb row_vocabulary_sha256 rest <<<"$1"
  path=${path//\{\}/$sha256}
}

check_extra_row() { # TABLE LINE-NUMBER
  local subject="$1:$2" builtin
  [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "$subject" "'$name' cannot be a name" "use letters, digits, . _ -"
  [[ $kind =~ ^(openai|hf|openclip)$ ]] || die "$subject" "unknown kind '$kind'" "it is openai, hf or openclip"
  if ! is_sha256 "$sha256" && ! { [ "$sha256" = - ] && [ "$kind" != openai ]; }; then
    die "$subject" "'$sha256' is not a SHA-256" "write 64 digits 0-9a-f"
  fi
  case "${row_vocabulary_sha256:--}" in
    -) ;;
    *) is_sha256 "$row_vocabulary_sha256" || die "$subject" "'$row_vocabulary_sha256' is not a SHA-256" "write 64 digits 0-9a-f" ;;
  esac
  while read -r builtin _; do
    [ "$builtin" != "$name" ] || die "$subject" "'$name' is built in" "choose another name"
  done < <(models)
}

# Every row, the built-in ones first, after checking the extra table.
all_rows() {
  models
  local table=${ZEROSHELF_FETCH_TABLE:-} line number=0
  [ -n "$table" ] || return 0
  [ -r "$table" ] || die "$table" "cannot be read" "set ZEROSHELF_FETCH_TABLE to a table of models"
  # shellcheck disable=SC2094 # check_extra_row only names the table
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%%#*}
    [ -n "${line//[[:space:]]/}" ] || continue
    read_row "$line"
    check_extra_row "$table" "$number"
    printf '%s\n' "$line"
  done <"$table"
}

list_models() {
  local row rows what languages licence good
  rows=$(all_rows) || exit 2
  printf '%-32s %8s  %-9s %-9s %-21s %s\n' NAME SIZE CHECKSUM LANGUAGES LICENCE FROM
  while IFS= read -r row; do
    read_row "$row"
    what=pinned
    if [ "$sha256" = - ]; then what="server's"; fi
    case "$kind" in
      openai) path=$openai_url/$path ;;
      *) path=$hugging_face_url/${path%@*} ;;
    esac
    IFS='|' read -r languages licence good <<<"$(about "$name")"
    printf '%-32s %8s  %-9s %-9s %-21s %s\n' "$name" "${size_mb:--} MB" "$what" "$languages" "$licence" "$path"
    if [ -n "$good" ]; then printf '    %s\n' "$good"; fi
  done <<<"$rows"
  echo "and hf:OWNER/REPO[@REVISION]"
  echo "Which? siglip2-base-patch16-256; where that is too slow, ViT-B-32. A collection keeps to its model."
}

# The row of a name as the user wrote it. 1: there is none.
find_row() {
  local wanted=$1 row rows
  rows=$(all_rows) || exit 2
  while IFS= read -r row; do
    read_row "$row"
    case "$kind" in
      openai) if [ "${wanted//[\/@]/-}" = "$name" ]; then return 0; fi ;;
      *) if [[ $wanted = "$name" || $wanted = "${path%@*}" || $wanted = "hf:${path%@*}" ]]; then return 0; fi ;;
    esac
  done <<<"$rows"
  return 1
}

# ---- Requests

# One request. Sets http (000 without an answer), redirect and trouble; fails as curl does, and for HTTP errors with 22.
# Writes no file of more than $limit bytes, headers included: curl's --max-filesize holds only for what a server announces.
ask() { # URL CURL-ARGUMENTS...
  local answer code=0 protocols='=http,https'
  http=000 redirect='' trouble=''
  if [[ $1 = https:* ]]; then protocols='=https'; fi
  answer=$(
    trap '' XFSZ
    ulimit -f $(((limit + 1023) / 1024))
    exec curl --proto "$protocols" --connect-timeout 30 --speed-limit 1024 --speed-time 60 \
      --write-out '%{http_code}\n%{redirect_url}\n%{errormsg}' "${@:2}" -- "$1"
  ) || code=$?
  { read -r http && read -r redirect && read -r trouble; } <<<"$answer" || true
  [[ $http =~ ^[0-9]{3}$ ]] || http=000
  trouble=$(told "$trouble")
  if [ "$code" -eq 0 ] && [ "$http" -ge 400 ]; then code=22; fi
  if [ "$code" -eq 22 ]; then trouble="the server answers with HTTP $http"; fi
  return "$code"
}

is_full() { [ -f "$1" ] && [ "$(stat -c %s "$1")" -ge "$limit" ]; }

# Asks until there is an answer. 0: done; 1: the server has no such file; 2: not in this way (range, method).
# The file that is written is the last argument.
request() { # URL CURL-ARGUMENTS...
  local code tries=0 url file=${*: -1}
  url=$(told "$1")
  while :; do
    code=0
    ask "$@" || code=$?
    if [ "$code" = 23 ] && { is_full "$file" || is_full "$scratch/headers"; }; then
      if [ -f "$file" ]; then rm -f "$file"; fi
      die "$url" "the server sends more than the $limit bytes that this file may have" \
        "is it the right server, or a mirror that answers with something else?"
    fi
    case "$code $http" in
      "0 "*) return 0 ;;
      "22 404" | "22 410") return 1 ;;
      "22 405" | "22 416" | "22 501" | 33*) return 2 ;;
      "22 401" | "22 403") die "$url" "$trouble" "check the name; a private or gated model must be downloaded by hand" ;;
      "22 408" | "22 425" | "22 429" | "22 5"*) ;;
      22*) die "$url" "$trouble" "check the name and the mirror's URL" ;;
      1\ * | 3\ *) die "$url" "no URL that can be fetched" "check the mirrors' variables, see --help" ;;
      23*) die "$url" "$trouble, so the disk may be full" "make space and run this again; what has arrived is kept" ;;
      60* | 77*) die "$url" "$trouble" "is the package ca-certificates installed, and the clock right?" ;;
    esac
    tries=$((tries + 1))
    if [ "$tries" -gt "$retries" ]; then
      die "$url" "${trouble:-curl ends with $code} (tried $tries times)" "run this again later; what has arrived is kept"
    fi
    sleep "$delay_s"
  done
}

header() { sed -n "/^$1:/I{s/^[^:]*:[[:space:]]*//;s/[\"\r]//g;s/^W\\///;p;q}" "$scratch/headers"; }

# What the server says of a file before it sends it: commit, server_sha256, bytes, each empty if it does not say.
# 1: the server has no such file.
look() { # URL
  local url=$1 code hops=0
  local limit=$answer_limit
  commit='' server_sha256='' bytes=''
  while :; do
    code=0
    request "$url" --silent --head --dump-header "$scratch/headers" --output /dev/null || code=$?
    if [ "$code" -eq 2 ]; then return 0; fi
    if [ "$code" -ne 0 ]; then return "$code"; fi
    commit=${commit:-$(header x-repo-commit)}
    server_sha256=$(header x-linked-etag)
    bytes=$(header x-linked-size)
    hops=$((hops + 1))
    if [ -n "$server_sha256" ] || [ -z "$redirect" ] || [ "$hops" -gt 5 ]; then break; fi
    url=$redirect
  done
  [ -n "$bytes" ] || bytes=$(header content-length)
  [[ $bytes =~ ^[1-9][0-9]{0,17}$ ]] || bytes=''
  [[ $commit =~ ^[0-9a-f]{40}$ ]] || commit=''
  is_sha256 "$server_sha256" || server_sha256=''
}

check_size() { # URL
  if [ -n "$bytes" ] && [ "$bytes" -gt "$weights_limit" ]; then
    die "$1" "the server announces $bytes bytes; at most $weights_limit are taken" \
      "is it the right server? ZEROSHELF_FETCH_LIMIT sets another limit"
  fi
}

need_space() { # PART
  local free kept=0
  [ -n "$bytes" ] || return 0
  if [ -f "$1" ]; then kept=$(stat -c %s "$1"); fi
  free=$(df --output=avail -B1 "$to" | tail -n 1)
  if [ $((bytes - kept)) -gt "$free" ]; then
    die "$to" "$(((bytes - kept) / 1000000)) MB are needed and $((free / 1000000)) MB are free" \
      "make space, or name another folder with --to"
  fi
}

# URL -> FILE, by way of FILE.part, which a later call or run goes on with. FILE appears once its SHA-256 is right.
# BYTES, where the server said how many there are, bounds what is taken.
download() { # URL FILE SHA256 [BYTES]
  local url=$1 file=$2 wanted=$3 part=$2.part code actual restarts=0 limit=${4:-$weights_limit}
  note "fetching $url"
  while ! { [ -f "$part" ] && has_sha256 "$part" "$wanted"; }; do
    code=0
    request "$url" "${progress[@]}" --fail --location --continue-at - --output "$part" || code=$?
    case "$code" in
      0) break ;;
      1) die "$url" "the server has no such file" "is the mirror's URL right?" ;;
    esac
    restarts=$((restarts + 1))
    if [ "$restarts" -gt $((retries + 1)) ]; then
      die "$url" "the transfer breaks off, and the server cannot resume it" "run this again later, or use a mirror"
    fi
    rm -f "$part"
  done
  actual=$(sha256_of "$part")
  if [ "$actual" != "$wanted" ]; then
    rm -f "$part"
    die "$url" "the file has the SHA-256 $actual instead of $wanted, and was removed" \
      "run this again; if it repeats, this server does not have the published file"
  fi
  sync "$part"
  mv -T "$part" "$file"
}

# A file without a checksum. 1: the server does not have it.
download_small() { # URL FILE
  local limit=$small_limit
  request "$1" --silent --fail --location --output "$2.part" || return 1
  sync "$2.part"
  mv -T "$2.part" "$2"
}

# ---- OpenAI

fetch_openai() {
  local file=$to/$name.pt vocabulary=$to/$vocabulary_name wanted=$vocabulary_sha256
  is_sha256 "${row_vocabulary_sha256:-}" && wanted=$row_vocabulary_sha256
  installed=$file
  checked="pinned"
  if [ -e "$vocabulary" ] && ! has_sha256 "$vocabulary" "$wanted"; then
    die "$vocabulary" "it is not the vocabulary that belongs to $name" "move it away, or name another folder with --to"
  fi
  if [ -e "$file" ] && ! has_sha256 "$file" "$sha256"; then
    die "$file" "it does not have the SHA-256 $sha256" "move it away, or name another folder with --to"
  fi
  if [ -e "$file" ] && [ -e "$vocabulary" ]; then return 0; fi
  already=
  [ -e "$vocabulary" ] || download "$github_url/$vocabulary_path" "$vocabulary" "$wanted" "$small_limit"
  if [ ! -e "$file" ]; then
    look "$openai_url/$path" || bytes=''
    need_space "$file.part"
    check_size "$openai_url/$path"
    download "$openai_url/$path" "$file" "$sha256" "$bytes"
  fi
}

# ---- Hugging Face

check_folder() { # FOLDER REPOSITORY REVISION
  local was_repository was_revision was_commit
  [ -f "$1/SHA256SUMS" ] ||
    die "$1" "it is there, and was not installed by this script" "use it as it is, or move it away and run this again"
  read -r _ was_repository was_revision was_commit _ <"$1/SHA256SUMS" || true
  if [ "$was_repository" != "$2" ]; then
    die "$1" "it holds $was_repository" "move it away, or name another folder with --to"
  fi
  if [ -n "$3" ] && [ "$3" != "$was_revision" ] && [ "$3" != "$was_commit" ]; then
    die "$1" "it holds the revision $was_revision" "move it away, or name another folder with --to"
  fi
  (cd "$1" && grep -Eq 'model\.(safetensors|bin)$' SHA256SUMS && sha256sum --check --status --strict SHA256SUMS) 2>/dev/null ||
    die "$1" "a file is not as it was installed" "move the folder away and run this again"
  if is_sha256 "$sha256" && ! grep -q "^$sha256 [ *]" "$1/SHA256SUMS"; then
    die "$1" "its weights do not have the SHA-256 $sha256" "move it away, or name another folder with --to"
  fi
}

# Which weights the repository has at this revision. Sets weights and configuration.
choose_layout() { # BASE REPOSITORY REVISION
  local cure="name a revision that has them: Hugging Face's conversions are at hf:$2@refs/pr/N"
  case "$2" in
    openai/clip-vit-base-patch16) cure="ViT-B-16 has the same weights" ;;
    openai/clip-vit-large-patch14-336) cure="ViT-L-14-336px has the same weights" ;;
  esac
  if [ "$kind" != openclip ]; then
    weights=model.safetensors configuration=config.json
    if look "$1/$weights"; then return 0; fi
  fi
  weights=open_clip_model.safetensors configuration=open_clip_config.json
  if look "$1/$weights"; then return 0; fi
  # Pickled tensors are read as data too; safetensors need no reading of a pickle.
  weights=open_clip_pytorch_model.bin
  if look "$1/$weights"; then return 0; fi
  if [ "$kind" != openclip ]; then
    weights=pytorch_model.bin configuration=config.json
    if look "$1/$weights"; then return 0; fi
  fi
  die "$hugging_face_url/$2" "no CLIP weights at the revision $3" "$cure"
}

# The checksum in the pointer that git-lfs keeps in place of a large file.
read_pointer() { # URL
  local limit=$answer_limit
  request "$1" --silent --fail --location --range 0-1023 --output "$scratch/pointer" || return 0
  server_sha256=$(sed -n 's/^oid sha256:\([0-9a-f]\{64\}\)$/\1/p;10q' "$scratch/pointer" 2>/dev/null | head -n 1)
}

fetch_small_files() { # BASE FOLDER
  local missing=()
  download_small "$1/$configuration" "$2/$configuration" || missing+=("$configuration")
  if [ "$configuration" = config.json ]; then
    download_small "$1/preprocessor_config.json" "$2/preprocessor_config.json" || true
  fi
  download_small "$1/tokenizer_config.json" "$2/tokenizer_config.json" || true
  if ! { download_small "$1/vocab.json" "$2/vocab.json" && download_small "$1/merges.txt" "$2/merges.txt"; }; then
    rm -f "$2/vocab.json"
    local vocabulary
    for vocabulary in tokenizer.json spiece.model tokenizer.model sentencepiece.bpe.model; do
      if download_small "$1/$vocabulary" "$2/$vocabulary"; then break; fi
    done
    [ -f "$2/$vocabulary" ] || missing+=("vocab.json with merges.txt, tokenizer.json or SentencePiece model")
  fi
  if [ ${#missing[@]} -gt 0 ]; then
    die "$1" "it has no ${missing[*]}" "it is no complete CLIP checkpoint; choose another"
  fi
}

fetch_folder() { # REPOSITORY REVISION ASKED-REVISION
  local repository=$1 revision=$2 base partial
  installed=$to/$name
  checked="pinned"
  if [ -e "$installed" ]; then
    check_folder "$installed" "$repository" "$3"
    if ! is_sha256 "$sha256"; then checked="as installed"; fi
    return 0
  fi
  already=
  base=$hugging_face_url/$repository/resolve/${revision//\//%2F}
  choose_layout "$base" "$repository" "$revision"
  # From here on one commit, even if the branch moves meanwhile.
  if [ -n "$commit" ]; then base=$hugging_face_url/$repository/resolve/$commit; fi
  [ -n "$server_sha256" ] || read_pointer "${base/\/resolve\//\/raw\/}/$weights"
  if is_sha256 "$sha256" && [ -n "$server_sha256" ] && [ "$sha256" != "$server_sha256" ]; then
    die "$base/$weights" "the server has a file with the SHA-256 $server_sha256 instead of $sha256" \
      "name the revision that has your file, as hf:$repository@REVISION"
  fi
  if ! is_sha256 "$sha256"; then
    sha256=$server_sha256
    checked="the server's"
  fi
  is_sha256 "$sha256" || die "$base/$weights" "the server does not say its SHA-256" "give it with --sha256"
  partial=$to/.$name-${sha256:0:12}.part
  mkdir -p "$partial"
  need_space "$partial/$weights.part"
  check_size "$base/$weights"
  fetch_small_files "$base" "$partial"
  if ! { [ -f "$partial/$weights" ] && has_sha256 "$partial/$weights" "$sha256"; }; then
    download "$base/$weights" "$partial/$weights" "$sha256" "$bytes"
  fi
  rm -f "$partial"/SHA256SUMS "$partial"/*.part
  {
    echo "# $repository $revision ${commit:--}"
    (cd "$partial" && sha256sum -- *)
  } >"$scratch/sums"
  cp "$scratch/sums" "$partial/SHA256SUMS"
  sync "$partial/SHA256SUMS" "$partial"
  mv -T "$partial" "$installed"
  rm -rf "$to/.$name-"????????????.part
  if [ -n "$commit" ]; then note "this is the commit $commit"; fi
}

# ---- The program

default_folder() {
  local entry entries
  IFS=: read -r -a entries <<<"${ZEROSHELF_MODELS:-}"
  for entry in "${entries[@]}"; do
    if [ -n "$entry" ]; then
      printf '%s\n' "$entry"
      return
    fi
  done
  if [ -n "${XDG_DATA_HOME:-}" ]; then
    printf '%s\n' "$XDG_DATA_HOME/zeroshelf/models"
  elif [ -n "${HOME:-}" ]; then
    printf '%s\n' "$HOME/.local/share/zeroshelf/models"
  fi
}

# Is a bare name looked for in this folder? As models/clip/find_model.cc does it.
is_searched() {
  local data=${XDG_DATA_HOME:-${HOME:-}/.local/share}
  case ":${ZEROSHELF_MODELS:-}:$data/zeroshelf/models:" in
    *":$1:"*) return 0 ;;
    *) return 1 ;;
  esac
}

lock_folder() {
  mkdir -p "$to" 2>/dev/null || die "$to" "the folder cannot be made" "name another with --to"
  if [ ! -d "$to" ] || [ ! -w "$to" ]; then die "$to" "it cannot be written to" "name another folder with --to"; fi
  exec {lock}>>"$to/.fetch.lock"
  if ! flock --nonblock "$lock"; then
    note "another download into $to is running; waiting for it"
    flock "$lock"
  fi
}

parse_flags() {
  wanted='' to='' asked_sha256=''
  while [ $# -gt 0 ]; do
    case "$1" in
      --help | -h)
        usage
        exit
        ;;
      --list)
        list_models
        exit
        ;;
      --to=* | --sha256=*)
        set -- "${1%%=*}" "${1#*=}" "${@:2}"
        continue
        ;;
      --to | --sha256)
        [ -n "${2:-}" ] || die "$1" "a value is missing" "--help tells more"
        if [ "$1" = --to ]; then to=$2; else asked_sha256=${2,,}; fi
        shift
        ;;
      -*) die "$1" "unknown option" "--help lists them" ;;
      *)
        [ -z "$wanted" ] || die "$1" "a second name" "fetch one model at a time"
        wanted=$1
        ;;
    esac
    shift
  done
}

main() {
  parse_flags "$@"
  if [ -z "$wanted" ]; then
    usage >&2
    exit 2
  fi
  if [ -n "$asked_sha256" ]; then
    is_sha256 "$asked_sha256" || die "--sha256" "'$asked_sha256' is not a SHA-256" "write 64 digits 0-9a-f"
  fi
  [[ $retries =~ ^[0-9]{1,4}$ ]] || die "ZEROSHELF_FETCH_RETRIES" "'$retries' is no number of times" "set it to 5, say"
  [[ $delay_s =~ ^[0-9]+(\.[0-9]+)?$ ]] ||
    die "ZEROSHELF_FETCH_DELAY" "'$delay_s' is no number of seconds" "set it to 3, say"
  [[ $weights_limit =~ ^[1-9][0-9]{0,17}$ ]] ||
    die "ZEROSHELF_FETCH_LIMIT" "'$weights_limit' is no number of bytes" "set it to 64000000000, say"
  if [ "$small_limit" -gt "$weights_limit" ]; then small_limit=$weights_limit; fi
  command -v curl >/dev/null || die curl "not installed" "apt-get install curl ca-certificates"

  local asked_revision=''
  already=yes
  if ! find_row "$wanted"; then
    [[ $wanted =~ ^hf:([A-Za-z0-9][A-Za-z0-9._-]*/([A-Za-z0-9][A-Za-z0-9._-]*))(@([A-Za-z0-9][A-Za-z0-9._/-]*))?$ ]] ||
      die "$wanted" "unknown model" "--list lists the names; hf:OWNER/REPO takes any CLIP model from Hugging Face"
    kind=hf sha256=- name=${BASH_REMATCH[2]} asked_revision=${BASH_REMATCH[4]:-}
    path=${BASH_REMATCH[1]}@${asked_revision:-main}
  fi
  if [ -n "$asked_sha256" ]; then
    if [ "$sha256" != - ] && [ "$sha256" != "$asked_sha256" ]; then
      die "$wanted" "its published SHA-256 is $sha256, not $asked_sha256" "leave --sha256 away"
    fi
    sha256=$asked_sha256
  fi

  [ -n "$to" ] || to=$(default_folder)
  [ -n "$to" ] || die "HOME" "not set" "name a folder with --to"
  if [ "$to" != / ]; then to=${to%/}; fi
  if [[ $to = -* ]]; then to=./$to; fi
  lock_folder
  case "$kind" in
    openai) fetch_openai ;;
    *) fetch_folder "${path%%@*}" "${path#*@}" "$asked_revision" ;;
  esac

  if [ -n "$already" ]; then
    echo "already installed: $installed (SHA-256 verified: $checked)"
  else
    echo "installed: $installed (SHA-256 verified: $checked)"
  fi
  local model=$installed
  if is_searched "$to"; then model=$name; fi
  printf 'use it: zeroshelf-index add COLLECTION PATH --model %q\n' "$model"
}

scratch=$(mktemp -d)
trap 'code=$?; rm -rf "$scratch"; [ "$code" -eq 0 ] || exit 2' EXIT
main "$@"
