# The image of the product: one static binary (make image builds it), which brings its own time zones and, where a system has
# none, certificate authorities. No shell, no user but a number.
FROM scratch
COPY bin/yingda /yingda
USER 65532:65532
ENTRYPOINT ["/yingda"]
