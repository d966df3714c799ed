"""What a pipeline needs so that ``hygiene run`` resolves there: an identity of its own, never a stored password."""

from __future__ import annotations

from typing import NamedTuple


class Pipeline(NamedTuple):
    """How a store knows a pipeline."""

    before: str  # what must be set up once
    github: str  # steps and environment of a job, as YAML
    gitlab: str


_RUN_GITHUB = "      - run: hygiene run -- CMD"
_AWS = Pipeline(
    "a role that trusts the pipeline's OIDC issuer, for this repository and branch only, and may read these secrets",
    """jobs:
  build:
    permissions:
      contents: read
      id-token: write
    steps:
      - uses: actions/checkout@v4
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: arn:aws:iam::ACCOUNT:role/ROLE
          aws-region: REGION
      - run: pip install 'secret-hygiene[aws]'
"""
    + _RUN_GITHUB,
    """build:
  id_tokens:
    HYGIENE_ID_TOKEN:
      aud: sts.amazonaws.com
  variables:
    AWS_ROLE_ARN: arn:aws:iam::ACCOUNT:role/ROLE
    AWS_REGION: REGION
    AWS_WEB_IDENTITY_TOKEN_FILE: /tmp/web-identity
  script:
    - (umask 077 && printf %s "$HYGIENE_ID_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE")
    - pip install 'secret-hygiene[aws]'
    - hygiene run -- CMD""",
)
_VAULT = Pipeline(
    "a role of the JWT method, bound to this repository's id and branch, with a policy that reads these secrets",
    """jobs:
  build:
    permissions:
      contents: read
      id-token: write
    env:
      VAULT_ADDR: https://HOST:8200
      VAULT_ROLE: ROLE
    steps:
      - uses: actions/checkout@v4
      - run: pip install 'secret-hygiene[vault]'
"""
    + _RUN_GITHUB,
    """build:
  id_tokens:
    HYGIENE_ID_TOKEN:
      aud: hygiene
  variables:
    VAULT_ADDR: https://HOST:8200
    VAULT_ROLE: ROLE
  script:
    - pip install 'secret-hygiene[vault]'
    - hygiene run -- CMD""",
)
_CONJUR = Pipeline(
    "a host of the JWT authenticator with this repository's claims, which may read these variables",
    """jobs:
  build:
    permissions:
      contents: read
      id-token: write
    env:
      CONJUR_APPLIANCE_URL: https://HOST
      CONJUR_AUTHN_JWT_SERVICE_ID: SERVICE
    steps:
      - uses: actions/checkout@v4
      - uses: actions/github-script@v7
        with:
          script: core.exportVariable("HYGIENE_ID_TOKEN", await core.getIDToken("conjur"))
      - run: pip install 'secret-hygiene[conjur]'
"""
    + _RUN_GITHUB,
    """build:
  id_tokens:
    HYGIENE_ID_TOKEN:
      aud: conjur
  variables:
    CONJUR_APPLIANCE_URL: https://HOST
    CONJUR_AUTHN_JWT_SERVICE_ID: SERVICE
  script:
    - pip install 'secret-hygiene[conjur]'
    - hygiene run -- CMD""",
)
_EMBEDDED = Pipeline(
    "a key that may read (hygiene access), as the pipeline's secret HYGIENE_IDENTITY_KEY. A store in a user's data "
    "folder is not seen by a pipeline: give it a folder of the repository, or move to a server's",
    """jobs:
  build:
    env:
      HYGIENE_IDENTITY_KEY: ${{ secrets.HYGIENE_IDENTITY_KEY }}
    steps:
      - uses: actions/checkout@v4
      - run: pip install 'secret-hygiene[migrate]'
"""
    + _RUN_GITHUB,
    """build:
  # HYGIENE_IDENTITY_KEY is a masked and protected CI/CD variable
  script:
    - pip install 'secret-hygiene[migrate]'
    - hygiene run -- CMD""",
)
_PIPELINES = {"awssecrets": _AWS, "vault": _VAULT, "openbao": _VAULT, "conjur": _CONJUR}


def pipeline_for(scheme: str) -> Pipeline:
    """Give what a pipeline needs for the store that references of ``scheme`` lie in."""
    return _PIPELINES.get(scheme, _EMBEDDED)
