# Two images: `airflow`, the pipeline, which is all that AWS needs and what a build without --target makes;
# and `sandbox`, which adds the AWS API server and the Redshift endpoint of one machine.
# A tag may be given to another image; its digest cannot. To pin the base:
#   docker pull apache/airflow:3.3.2 && docker image inspect --format '{{index .RepoDigests 0}}' apache/airflow:3.3.2
#   docker build --build-arg AIRFLOW_IMAGE=apache/airflow:3.3.2@sha256:… .     (for Compose: AIRFLOW_IMAGE in .env)
ARG AIRFLOW_IMAGE=apache/airflow:3.3.2
FROM ${AIRFLOW_IMAGE} AS airflow

# The locks first: a change of code does not install them again. They are whole, so pip looks for nothing else
# (and would refuse extras, which it counts as packages without a hash). Only what has a hash there is installed,
# and wheels only: nothing is compiled, and no code of a package runs here.
COPY --chown=airflow:0 requirements.txt requirements-celery.txt /opt/airflow/
RUN pip install --no-cache-dir --no-deps --only-binary=:all: --require-hashes -r requirements.txt -r requirements-celery.txt

COPY --chown=airflow:0 dags /opt/airflow/dags
# What runs DAGs has their folder on its path; a command that only looks (`airflow dags list --local`) has not.
ENV PYTHONPATH=/opt/airflow/dags
COPY --chown=airflow:0 include /opt/airflow/include
COPY --chown=airflow:0 plugins /opt/airflow/plugins
# Every task imports the plugins.
RUN python -m compileall -q dags plugins

# SSL_CERT_FILE may name this file: a volume over its folder, which begins with it, brings further certificates.
RUN mkdir trust && cp /etc/ssl/certs/ca-certificates.crt trust/trusted.pem

# The base image's user airflow (50000) is not root. No HEALTHCHECK here: scheduler, API server and worker are
# healthy in different ways, and docker-compose.yaml says which.


FROM airflow AS sandbox

COPY --chown=airflow:0 requirements-sandbox.txt /opt/airflow/
RUN pip install --no-cache-dir --no-deps --only-binary=:all: --require-hashes -r requirements-sandbox.txt

COPY --chown=airflow:0 sandbox /opt/airflow/sandbox
# What a volume mounted here begins with: a folder that belongs to the user airflow.
RUN python -m compileall -q sandbox && mkdir -m 0700 .sandbox

# In a container, loopback is where nobody is.
ENV SANDBOX_HOST=0.0.0.0 PYTHONUNBUFFERED=1
ENTRYPOINT ["/usr/bin/dumb-init", "--", "python", "-m", "sandbox"]
CMD ["run"]
HEALTHCHECK --interval=15s --timeout=30s --start-period=60s CMD ["python", "-m", "sandbox", "status"]


FROM airflow
