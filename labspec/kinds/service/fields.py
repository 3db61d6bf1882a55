"""The fields of a container that are compared with the live one, each in its canonical form.

Desired values come from the spec (`desired.py`), observed ones from GET /containers/ID/json (`observed.py`); both use
the forms below and the spellings of `canonical.py`, so that equal means equal. Lists whose order means nothing are
sorted. Durations are text in Go's form, shortest unit first met: "1m30s", "500ms". Sizes are numbers of bytes.
"""

from __future__ import annotations

from labspec.core.diff import Field, Settle

UPDATE = Settle.UPDATE

STOP_SECONDS = 10
"""How long Docker lets a container stop before it kills it, where the container does not say."""

FIELDS = (
    # What runs. `image` is the reference in its familiar form with a tag ("debian:latest"), `image_id` what that
    # reference stands for on this host now: never set by the spec, so it is held against the object's default.
    Field("name", UPDATE),
    Field("image"),
    Field("image_id"),
    Field("command"),  # list of text, or null for none
    Field("entrypoint"),  # list of text, or null for none; one that is set takes the image's command away
    Field("environment", keyed=True),  # name -> text, or null; a secret value as "(secret DIGEST)"
    Field("working_dir"),
    Field("user"),
    Field("tty", default=False),
    Field("stdin_open", default=False),
    Field("init", default=False),
    Field("stop_signal"),
    Field("stop_grace_period"),  # duration
    Field("healthcheck", keyed=True),  # test (list), interval, timeout, start_period, start_interval, retries
    Field("labels", keyed=True),
    Field("annotations", default={}, keyed=True),
    # Where it is on the network. Aliases are sorted, without the service's and the container's own name. A port is
    # "[HOST_IP:]PUBLISHED:TARGET/PROTOCOL", PUBLISHED empty for a free one.
    Field("ports", default=[]),
    Field("expose", default=[]),  # "80/tcp", those that neither the image exposes itself nor `ports` publishes
    Field("networks", UPDATE, keyed=True),  # host name -> {aliases, ipv4, ipv6, link_local, mac, driver_opts}, set only
    Field("network_mode"),  # none, host, bridge, "service:NAME", "container:NAME"; only where the spec sets it
    # (pid and ipc are "host", "service:NAME", ... in the same way)
    Field("hostname"),
    Field("domainname", default=""),
    Field("mac_address"),
    Field("extra_hosts", default=[]),  # "name:ip"
    Field("dns", default=[]),
    Field("dns_search", default=[]),
    Field("dns_opt", default=[]),
    # What it sees of the host. Mounts are those of `canonical.mount`, sorted by target; files of secrets and configs
    # are among them, a tmpfs of the key `tmpfs` is not. Security options have the form of `canonical.security_option`.
    Field("mounts", default=[]),
    Field("tmpfs", default={}, keyed=True),  # target -> options
    Field("devices", default=[]),  # "HOST:CONTAINER:rwm"
    Field("device_cgroup_rules", default=[]),
    Field("volumes_from", default=[]),  # "service:NAME" or "container:NAME", then ":ro" or nothing
    Field("read_only", default=False),
    Field("privileged", default=False),
    Field("cap_add", default=[]),  # without CAP_, upper case
    Field("cap_drop", default=[]),
    Field("security_opt", default=[]),
    Field("group_add", default=[]),
    Field("sysctls", default={}, keyed=True),
    Field("ulimits", default={}, keyed=True),  # name -> {soft, hard}
    Field("shm_size", size=True),
    Field("storage_opt", default={}, keyed=True),
    Field("pid"),
    Field("ipc"),
    Field("uts"),
    Field("cgroup"),
    Field("cgroup_parent"),
    Field("userns_mode"),
    Field("runtime"),
    Field("isolation"),
    Field("logging", keyed=True),  # driver, options
    # What it may use; Docker changes all of these on a running container (POST /containers/ID/update).
    Field("restart", UPDATE, default="no"),
    Field("cpus", UPDATE, default=0.0),
    Field("cpu_shares", UPDATE, default=0),
    Field("cpu_period", UPDATE, default=0),
    Field("cpu_quota", UPDATE, default=0),
    Field("cpu_rt_period", default=0),
    Field("cpu_rt_runtime", default=0),
    Field("cpuset", UPDATE, default=""),
    Field("mem_limit", UPDATE, default=0, size=True),
    Field("memswap_limit", UPDATE, size=True),
    Field("mem_reservation", UPDATE, default=0, size=True),
    Field("mem_swappiness"),
    Field("pids_limit", UPDATE, default=0),  # 0 for no limit, never -1
    Field("oom_kill_disable", default=False),
    Field("oom_score_adj", default=0),
    Field("blkio", default={}, keyed=True),  # as the compose file names them
    # How many of it, and what of the entry no answer of the engine shows.
    Field("replicas", UPDATE, default=1),
    Field("rest", live=False),
)
