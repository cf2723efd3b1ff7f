# graphmigrate as an image: docker build -t graphmigrate .
# BASE is any image with Python 3.11 or newer and its venv module; both stages use it, so that the interpreter is the same.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
# .dockerignore says of what
COPY . /source
# requirements.txt says which releases; what is only needed to install (pip) or to test (tests) is left behind. The byte
# code is made here, because a read-only root file system can keep none.
RUN python3 -m venv /opt/graphmigrate \
 && /opt/graphmigrate/bin/python3 -m pip install --quiet --no-cache-dir --no-compile --disable-pip-version-check \
      --constraint /source/requirements.txt /source \
 && /opt/graphmigrate/bin/python3 -m pip uninstall --quiet --yes setuptools pip \
 && cd /opt/graphmigrate/lib/python3.*/site-packages \
 && find . -depth -type d \( -name __pycache__ -o -name tests -o -name test \) -exec rm -rf {} + \
 && rm -f /opt/graphmigrate/bin/*ctivate* \
 && /opt/graphmigrate/bin/python3 -m compileall -q --invalidation-mode unchecked-hash .

FROM ${BASE}
LABEL org.opencontainers.image.title="graphmigrate" \
      org.opencontainers.image.description="Schema migrations and seeds for Neo4j: exactly once, whatever dies." \
      org.opencontainers.image.licenses="Apache-2.0"
# CA certificates, for bolt+s:// and neo4j+s:// with a public authority; most bases have them.
RUN test -s /etc/ssl/certs/ca-certificates.crt \
 || { apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*; }
RUN echo 'graphmigrate:x:10001:' >> /etc/group \
 && echo 'graphmigrate:x:10001:10001::/tmp:/usr/sbin/nologin' >> /etc/passwd \
 && mkdir /project \
 && ln -s /opt/graphmigrate/bin/graphmigrate /usr/local/bin/graphmigrate
COPY --from=build /opt/graphmigrate /opt/graphmigrate
ENV PYTHONDONTWRITEBYTECODE=1
# Mount or copy a project here: graphmigrate.toml, migrations/, seeds/. No variable is set that would beat its configuration.
WORKDIR /project
USER 10001:10001
ENTRYPOINT ["graphmigrate"]
CMD ["--help"]
