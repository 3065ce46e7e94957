# One static binary and nothing else: root certificates and time zones are embedded in it. hack/image/Dockerfile makes
# the same image of a binary that was built outside.
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /kith ./cmd/kith

FROM scratch
COPY --from=build /kith /kith
USER 65532:65532
ENTRYPOINT ["/kith"]
LABEL org.opencontainers.image.title="Kith"
LABEL org.opencontainers.image.source="https://github.com/kith-dev/kith"
LABEL org.opencontainers.image.licenses="Apache-2.0"
