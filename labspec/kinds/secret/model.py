"""What a spec may say of a secret: the Compose specification's keys."""

from labspec.kinds.compose.parts import SECRETS

SECTION = SECRETS
