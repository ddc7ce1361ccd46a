//! The options of `docker run` that become nothing in a resource.

/// Options without a value, and those that end a value with a space.
pub(super) const FLAGS: [&str; 14] = [
    "--rm",
    "-d",
    "--detach",
    "-i",
    "--interactive",
    "-t",
    "--tty",
    "--init",
    "--read-only",
    "--privileged",
    "-P",
    "--publish-all",
    "--no-healthcheck",
    "-q",
];

/// Options with a value that mean nothing in a cluster, and why.
pub(super) const DROPPED: [(&str, &str); 24] = [
    ("-p", "clients use the Service"),
    ("--publish", "clients use the Service"),
    ("--expose", "clients use the Service"),
    ("--name", "the resource has its own name: --name"),
    ("-h", "pods have names of their own"),
    ("--hostname", "pods have names of their own"),
    ("--restart", "the Deployment restarts pods"),
    ("--pull", "write spec.imagePullPolicy"),
    ("--platform", "the image is for amd64 and arm64"),
    ("-u", "the image has its own user"),
    ("--user", "the image has its own user"),
    ("-w", "the image has its own directory"),
    ("--workdir", "the image has its own directory"),
    ("-l", "write spec.podTemplate.metadata.labels"),
    ("--label", "write spec.podTemplate.metadata.labels"),
    ("--log-driver", "the cluster collects logs"),
    ("--log-opt", "the cluster collects logs"),
    ("--cap-drop", "the pods hold the Pod Security Standard restricted"),
    ("--security-opt", "the pods hold the Pod Security Standard restricted"),
    ("--health-cmd", "the pods have probes"),
    ("--health-interval", "the pods have probes"),
    ("--stop-timeout", "the operator sets it"),
    ("--pids-limit", "the cluster sets it"),
    ("--tmpfs", "the server writes no files"),
];

/// Options with a value that somebody must decide about, and what to do.
pub(super) const OPEN: [(&str, &str); 12] = [
    ("--network", "a container's network is not there: write addresses that pods reach"),
    ("--net", "a container's network is not there: write addresses that pods reach"),
    ("--add-host", "write the host's address into the URL, or spec.podTemplate.spec.hostAliases"),
    ("--link", "a container's network is not there: write addresses that pods reach"),
    ("--dns", "write spec.podTemplate.spec.dnsConfig"),
    ("--dns-search", "write spec.podTemplate.spec.dnsConfig"),
    ("--cap-add", "the pods hold the Pod Security Standard restricted, and need no capability"),
    ("--device", "the server uses no device"),
    ("--mount", "mount what the pods need with spec.podTemplate"),
    ("--entrypoint", "the operator starts the server"),
    ("--secret", "name a Secret in the resource"),
    ("--env-from", "name a Secret in the resource"),
];
