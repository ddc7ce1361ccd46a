//! Who consents without being asked: `--approve-as`.

use crate::hq::scope::Scopes;
use crate::hq::users;

/// Who consents without being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApproveAs {
    /// Whomever the request's `login_hint` names.
    Hinted,
    /// This user, granting at most these scopes.
    User(&'static str, Scopes),
}

impl ApproveAs {
    pub(super) fn parse(value: &str) -> Result<Self, String> {
        if value == "any" {
            return Ok(Self::Hinted);
        }
        let (name, scopes) = value.split_once(':').unwrap_or((value, "read,write,delete"));
        let names = users::USERS.map(|user| user.name).join(", ");
        let user = users::find(name)
            .ok_or_else(|| format!("names no user: write any, or one of {names}"))?;
        let granted = Scopes::parse(&scopes.replace(',', " "));
        if granted.is_empty() || scopes.split(',').count() != granted.iter().count() {
            return Err("must name scopes of read, write, delete, parted by commas".to_owned());
        }
        Ok(Self::User(user.name, granted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_consents_is_a_user_with_scopes_or_any() {
        assert_eq!(ApproveAs::parse("any"), Ok(ApproveAs::Hinted));
        assert_eq!(ApproveAs::parse("bob:read"), Ok(ApproveAs::User("bob", Scopes::parse("read"))));
        assert_eq!(ApproveAs::parse("alice"), Ok(ApproveAs::User("alice", Scopes::all())));
        for bad in ["", "mallory", "alice:", "alice:admin", "alice:read,admin", "alice:read write"]
        {
            assert!(ApproveAs::parse(bad).is_err(), "{bad}");
        }
    }
}
