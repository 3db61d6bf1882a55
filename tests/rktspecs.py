"""The pods of the tests of rkt: the seed's, and one that a recording was made of."""

SEED = {
    "image": "docker://alpine",
    "stage1": "coreos.com/rkt/stage1-fly:1.29.0",
    "insecure_options": ["image"],
    "exec": "/bin/sleep",
    "args": ["9999"],
}
NAMED = {
    "image": "docker://registry.lab:5055/alpine",
    "stage1": "coreos.com/rkt/stage1-fly:1.29.0",
    "insecure_options": ["image", "http"],
    "net": "host",
    "hostname": "web",
    "dns": ["10.0.0.1", "10.0.0.2"],
    "dns_search": ["lab.test"],
    "dns_domain": "lab.test",
    "dns_opt": ["ndots:2"],
    "set_env": {"A": "1"},
    "set_env_file": "/root/envfile",
    "volumes": {"data": {"kind": "host", "source": "/srv/data", "read_only": True}},
    "mounts": [{"volume": "data", "target": "/data"}],
    "environment": {"B": "2"},
    "user": 65534,
    "group": 65534,
    "working_dir": "/data",
    "annotations": {"example.com/owner": "labspec"},
    "caps_retain": ["CAP_NET_BIND_SERVICE"],
    "cpu": "500m",
    "memory": "64Mi",
    "cpu_shares": 512,
    "oom_score_adj": 100,
    "exec": "/bin/sleep",
    "args": ["9999"],
}
"""A pod with every option, as a recording was made of it."""
