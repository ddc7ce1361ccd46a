//! Environments: HQ's own API.

use serde_json::Value;

use super::{Error, Name, Object, Session, reply::Reply};

impl Session {
    /// All environments that the caller may see: `GET /api/v1/environments`, its `items`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn environments(&self) -> Result<Vec<Object>, Error> {
        let mut page = self.get("list_environments", self.endpoint("api/v1/environments")).await?.object()?;
        match page.remove("items") {
            Some(items @ Value::Array(_)) => Reply::Json(items).list(),
            // HQ leaves out a list that is empty, or sends null.
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(_) => Err(Error::Unreadable { what: "something other than the expected list of environments" }),
        }
    }

    /// One environment: `GET /api/v1/environments/{name}`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is none of that name.
    pub async fn environment(&self, name: &Name) -> Result<Object, Error> {
        self.get("get_environment", self.endpoint("api/v1/environments").name(name)).await?.object()
    }
}
