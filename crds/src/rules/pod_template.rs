//! What a pod template may hold.

use kube::core::Rule;

use crate::server_settings::{NAMES, PREFIXES, WITHOUT_FIELD};

/// What selects the pods, and what the operator tells them by, must not change.
pub(crate) fn pod_labels_are_the_operators() -> Rule {
    Rule::new(
        "!has(self.metadata) || \
         ((!has(self.metadata.labels) || !self.metadata.labels.exists(key, key in \
         ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by', \
         'app.kubernetes.io/part-of'])) && \
         (!has(self.metadata.annotations) || \
         !self.metadata.annotations.exists(key, key.startsWith('mcp.lenses.io/'))))",
    )
    .message(
        "the labels app.kubernetes.io/name, instance, managed-by and part-of and annotations \
         mcp.lenses.io/... are the operator's: leave them out",
    )
}

/// The labels by which the operator and its watches find their objects.
pub(crate) fn labels_of_others() -> Rule {
    Rule::new("self.all(key, !key.startsWith('app.kubernetes.io/'))")
        .message("the labels app.kubernetes.io/... are the operator's: leave them out")
}

/// What would make the server's container another program.
pub(crate) fn server_container_stays_the_servers() -> Rule {
    Rule::new(
        "!has(self.spec) || !has(self.spec.containers) || \
         self.spec.containers.all(c, c.name != 'lenses-mcp-server' || \
         !(has(c.image) || has(c.command) || has(c.args) || has(c.envFrom) || has(c.ports)))",
    )
    .message(
        "image, command, args, envFrom and ports of the container lenses-mcp-server are the \
         operator's: leave them out (spec.image takes an image, env single variables)",
    )
}

/// The environment wins over the settings that the operator writes.
pub(crate) fn no_settings_in_the_environment() -> Rule {
    let free = WITHOUT_FIELD.join("', '");
    let settings = format!("^(({}).*|{})$", PREFIXES.join("|"), NAMES.join("|"));
    Rule::new(format!(
        "!has(self.spec) || !has(self.spec.containers) || \
         self.spec.containers.all(c, c.name != 'lenses-mcp-server' || \
         !has(c.env) || c.env.all(e, e.name in ['{free}'] || !e.name.matches('{settings}')))"
    ))
    .message(
        "a variable of the container lenses-mcp-server is one of the server's settings: write the \
         field of spec that it stands for",
    )
}

/// Where the server reads its settings and secrets.
pub(crate) fn volumes_of_the_operator() -> Rule {
    Rule::new(
        "!has(self.spec) || ((!has(self.spec.volumes) || \
         self.spec.volumes.all(v, !(v.name in ['settings', 'secrets']))) && \
         (!has(self.spec.containers) || \
         self.spec.containers.all(c, c.name != 'lenses-mcp-server' || !has(c.volumeMounts) || \
         c.volumeMounts.all(m, !m.mountPath.matches('^(/etc|/var/run)/lenses-mcp(/.*)?$')))))",
    )
    .message(
        "the volumes settings and secrets, and what lies under /etc/lenses-mcp and \
         /var/run/lenses-mcp, are the operator's: write other names and paths",
    )
}

/// Only the server's container gets its image from the operator.
pub(crate) fn sidecars_have_images() -> Rule {
    Rule::new(
        "!has(self.spec) || !has(self.spec.containers) || \
         self.spec.containers.all(c, c.name == 'lenses-mcp-server' || has(c.image))",
    )
    .message("a container besides lenses-mcp-server needs an image")
}
