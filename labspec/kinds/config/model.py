"""What a spec may say of a config: the Compose specification's keys."""

from labspec.kinds.compose.parts import CONFIGS

SECTION = CONFIGS
