//! `spec.limits.trustedProxies`. The schema's pattern lets through a few texts that are no
//! addresses, such as `10.0.0.0/33`, at which the server would not start.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Rejection;

pub(super) fn check(proxies: &[String], rejections: &mut Vec<Rejection>) {
    for proxy in proxies {
        let network = proxy.parse::<IpAddr>().map(IpNet::from).or_else(|_| proxy.parse());
        // A range of all addresses would trust every client about its address.
        if network.is_ok_and(|network: IpNet| network.prefix_len() > 0) {
            continue;
        }
        let message = format!(
            "{proxy:?} is not the address or the range of a proxy: \
             write one such as 10.0.0.7 or 10.244.0.0/16"
        );
        rejections.push(Rejection::InvalidSpec { field: "spec.limits.trustedProxies", message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_address_or_range_is_refused_with_what_to_write() {
        let refused = |proxy: &str| {
            let mut rejections = Vec::new();
            check(&[proxy.to_owned()], &mut rejections);
            rejections.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        for good in ["10.0.0.7", "10.244.0.0/16", "::1", "fd00::/8"] {
            assert_eq!(refused(good), Vec::<String>::new());
        }
        for bad in
            ["10.0.0", "10.0.0.0/33", "fd00::/129", "0.0.0.0/0", "::/0", "::1::", "1.2.3.4.5"]
        {
            let refused = refused(bad);
            assert_eq!(refused.len(), 1, "{bad}");
            assert!(
                refused[0].starts_with(&format!("spec.limits.trustedProxies: {bad:?} is not")),
                "{refused:?}"
            );
        }
    }
}
