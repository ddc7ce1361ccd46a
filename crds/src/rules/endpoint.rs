//! How the server is published.

use kube::core::Rule;

/// Two routes to one server would be two public URLs, and clients are told one.
pub(crate) fn at_most_one_route() -> Rule {
    Rule::new("!has(self.ingress) || !has(self.httpRoute)")
        .message("write one of endpoint.ingress and endpoint.httpRoute: clients are told one URL")
}

/// Clients are told the URL, and it must lead through the route to the server.
pub(crate) fn ingress_fits_url() -> Rule {
    route_fits_url("ingress", "[self.ingress.host]").message(
        "endpoint.url does not lead through endpoint.ingress: write the host and the path of the \
         ingress into it, or leave it out",
    )
}

/// As [`ingress_fits_url`].
pub(crate) fn http_route_fits_url() -> Rule {
    route_fits_url("httpRoute", "self.httpRoute.hostnames").message(
        "endpoint.url does not lead through endpoint.httpRoute: write one of its hostnames and its \
         path into it, or leave it out",
    )
}

/// A slash at the end of a path means nothing, and ports are the business of whoever forwards them.
fn route_fits_url(route: &str, hosts: &str) -> Rule {
    Rule::new(format!(
        "!has(self.{route}) || !has(self.url) || \
         {hosts}.exists(host, self.url.matches('^https?://' + host + '(:[0-9]+)?' + \
         (self.{route}.path == '/' ? '' : self.{route}.path) + '/?$'))"
    ))
}

/// The address of a load balancer is told to clients, who must not send their tokens there in the
/// clear.
pub(crate) fn load_balancer_is_encrypted() -> Rule {
    Rule::new(
        "!has(self.service) || self.service.type != 'LoadBalancer' || has(self.url) || \
         has(self.tls) || has(self.ingress) || has(self.httpRoute)",
    )
    .message(
        "a load balancer is reached from outside, where plain http is not accepted: write \
         endpoint.tls, or, where TLS ends at the load balancer, endpoint.url",
    )
}

/// A load balancer's settings mean something to a load balancer only.
pub(crate) fn load_balancer_fields_fit_type() -> Rule {
    Rule::new(
        "self.type == 'LoadBalancer' || (!has(self.loadBalancerClass) && \
         !has(self.loadBalancerSourceRanges))",
    )
    .message(
        "loadBalancerClass and loadBalancerSourceRanges need type: LoadBalancer: write it, or \
         leave them out",
    )
}

/// Nothing comes from outside to a Service that is inside only.
pub(crate) fn external_traffic_policy_fits_type() -> Rule {
    Rule::new("self.type != 'ClusterIP' || !has(self.externalTrafficPolicy)").message(
        "externalTrafficPolicy needs type: LoadBalancer or NodePort: write it, or leave \
         externalTrafficPolicy out",
    )
}
