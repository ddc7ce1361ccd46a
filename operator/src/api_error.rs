//! What the API server says, for people.

/// The message of an error. kube adds the whole Status in Rust's notation to it, and of a request
/// without an answer it tells everything but the cause.
pub(crate) fn message(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        kube::Error::Service(error) => {
            let mut cause: &dyn std::error::Error = error.as_ref();
            while let Some(source) = cause.source() {
                cause = source;
            }
            format!("no answer of the API server: {cause}")
        }
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

    #[test]
    fn a_request_without_an_answer_tells_its_first_cause() {
        #[derive(Debug, thiserror::Error)]
        #[error("client error (Connect)")]
        struct Connect(#[source] std::io::Error);
        let cause = std::io::Error::other("connection refused");
        let error = kube::Error::Service(Box::new(Connect(cause)));
        assert_eq!(message(&error), "no answer of the API server: connection refused");
    }
}
