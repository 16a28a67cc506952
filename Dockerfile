# SPDX-License-Identifier: MIT
# featherid-server and the command featherid, from FeatherID's Debian packages. docs/operating/containers.md says how
# to run it.
FROM debian:13-slim AS build
COPY . /featherid
RUN /featherid/scripts/package

FROM debian:13-slim
# A number of its own, so that volumes keep their owner from one image to the next.
RUN groupadd --system --gid 990 featherid && \
    useradd --system --uid 990 --gid featherid --home-dir /var/lib/featherid featherid
COPY --from=build /featherid/build/package/packages/ /packages/
RUN apt-get update && \
    apt-get install -y --no-install-recommends \
      /packages/libfeatherid0.*.deb /packages/featherid-server_*.deb /packages/featherid_*.deb && \
    rm -rf /packages /var/lib/apt/lists/* && \
    install -d -o featherid -g featherid -m 0750 /var/lib/featherid

# By number, because Kubernetes (runAsNonRoot) does not accept a name.
USER 990:990
WORKDIR /var/lib/featherid
# SQLite's file is there, unless FEATHERID_DATABASE names a database server. It must be a folder, never the file alone.
VOLUME /var/lib/featherid
# Everyone who reaches the container's network can take ids.
ENV FEATHERID_LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["featherid", "--server", "http://127.0.0.1:8080", "ping"]
ENTRYPOINT ["featherid-server"]
