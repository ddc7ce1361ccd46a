//! What the API server says, for people.

/// The message of an error. kube adds the whole Status in Rust's notation to it.
pub(crate) fn message(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn the_api_servers_own_message_stands_alone() {
        let status = Status::failure("Deployment \"x\" is invalid: spec.replicas", "Invalid");
        let error = kube::Error::Api(status.with_code(422).boxed());
        assert_eq!(message(&error), "Deployment \"x\" is invalid: spec.replicas");
    }
}
