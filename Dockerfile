# syntax=docker/dockerfile:1
#
# leadpact as one static binary in an otherwise empty image.
#
#   docker build -t leadpact .
#   docker run --read-only --cap-drop=ALL -v leadpact:/data -v ./config:/etc/leadpact:ro -p 8080:8080 leadpact
#
# /etc/leadpact/leadpact.toml  the configuration, with the agreement that it names beside it
# /data                        the working directory: sqlite://leadpact.db lies here

FROM rust:1.94-alpine AS build
# aws-lc (TLS) and SQLite are compiled from C; aws-lc asks for the kernel's headers. On Alpine Rust
# links musl statically by itself. cmake is only taken where aws-lc has no list of its files.
RUN apk add --no-cache build-base cmake linux-headers ca-certificates
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --features oidc --bin leadpact \
    && mkdir -p /image/data /image/etc/ssl/certs \
    && cp target/release/leadpact /image/leadpact \
    && strip /image/leadpact \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    # A binary that still wants a loader would not start in an empty image.
    && ! readelf --program-headers /image/leadpact | grep -q INTERP

FROM scratch
COPY --from=build /image/leadpact /leadpact
# CRMs are checked against these roots; mail servers and PostgreSQL against those in the binary.
COPY --from=build /image/etc /etc
COPY --from=build --chown=65532:65532 /image/data /data

# A container's loopback is its own: listen on its address, and publish the port deliberately. Pages
# and metrics stay on the loopback address (`admin_listen`) unless a proxy with https is before them.
ENV LEADPACT_CONFIG=/etc/leadpact/leadpact.toml \
    LEADPACT_SERVER__LISTEN=0.0.0.0:8080 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    SQLITE_TMPDIR=/data

USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["/leadpact", "healthcheck"]
ENTRYPOINT ["/leadpact"]
CMD ["serve"]
