# zeroshelf in a container: the packages of `./dev package`, not as root, pictures read-only. One volume holds the
# collection and everything else that is kept: fetched models, thumbnails, the token, exports.
#   docker build -t zeroshelf .
#   docker run --rm -v shelf:/collection zeroshelf zeroshelf-fetch ViT-B-32
#   docker run --rm -v shelf:/collection -v ~/Pictures:/pictures:ro zeroshelf \
#     zeroshelf-index add /collection/photos.shelf /pictures --model ViT-B-32
#   docker run --rm -v shelf:/collection -v ~/Pictures:/pictures:ro -p 127.0.0.1:8642:8642 zeroshelf
# The last one serves the page and says with which address it is opened. tests/package/package_test.sh runs the
# steps of the last stage in a new Debian 12, as contained as compose.yaml has it; build_stage_test.sh those of the first.
FROM debian:bookworm AS build
COPY . /src
WORKDIR /src
# git: for the commit that --version tells.
RUN apt-get update && apt-get install -y --no-install-recommends git && ./dev package

FROM debian:bookworm-slim
COPY --from=build /src/build/package/zeroshelf_*.deb /src/build/package/zeroshelf-model-mini_*.deb /tmp/
RUN apt-get update \
 && apt-get install -y --no-install-recommends /tmp/*.deb tesseract-ocr-osd curl ca-certificates \
 && rm -rf /tmp/*.deb /var/lib/apt/lists/* \
 && useradd --uid 1000 --home-dir /collection --create-home zeroshelf \
 && install -d -o zeroshelf -g zeroshelf /pictures
ENV HOME=/collection
VOLUME /collection
USER zeroshelf
WORKDIR /collection
EXPOSE 8642
HEALTHCHECK CMD ["curl", "-fsS", "http://127.0.0.1:8642/healthz"]
CMD ["zeroshelf-query", "serve", "/collection/photos.shelf", "--listen", "0.0.0.0:8642", \
     "--token-file", "/collection/token", "--export-to", "/collection/exports"]
