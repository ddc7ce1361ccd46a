//! HQ's users and what its IAM lets them do.

use super::problem::Problem;

/// What IAM decides about, named `service:Action` as in HQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    ListEnvironments,
    GetEnvironment,
    CreateEnvironment,
    ListTopics,
    CreateTopic,
    UpdateTopicDetails,
    DeleteTopic,
    ReadTopicData,
    WriteTopicData,
    ListConsumerGroups,
    UpdateConsumerGroup,
    DeleteConsumerGroup,
    ListQueries,
    KillQuery,
    ListConnectors,
    CreateConnector,
    UpdateConnector,
    DeleteConnector,
    ListProcessors,
    CreateProcessor,
    DeleteProcessor,
    GetPodLogs,
    ListRequests,
    CreateRequest,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::ListEnvironments => "environments:ListEnvironments",
            Self::GetEnvironment => "environments:GetEnvironment",
            Self::CreateEnvironment => "environments:CreateEnvironment",
            Self::ListTopics => "kafka:ListTopics",
            Self::CreateTopic => "kafka:CreateTopic",
            Self::UpdateTopicDetails => "kafka:UpdateTopicDetails",
            Self::DeleteTopic => "kafka:DeleteTopic",
            Self::ReadTopicData => "kafka:ReadTopicData",
            Self::WriteTopicData => "kafka:WriteTopicData",
            Self::ListConsumerGroups => "kafka:ListConsumerGroups",
            Self::UpdateConsumerGroup => "kafka:UpdateConsumerGroup",
            Self::DeleteConsumerGroup => "kafka:DeleteConsumerGroup",
            Self::ListQueries => "sql-streaming:ListQueries",
            Self::KillQuery => "sql-streaming:KillQuery",
            Self::ListConnectors => "kafka-connect:ListConnectors",
            Self::CreateConnector => "kafka-connect:CreateConnector",
            Self::UpdateConnector => "kafka-connect:UpdateConnector",
            Self::DeleteConnector => "kafka-connect:DeleteConnector",
            Self::ListProcessors => "sql-streaming:ListProcessors",
            Self::CreateProcessor => "sql-streaming:CreateProcessor",
            Self::DeleteProcessor => "sql-streaming:DeleteProcessor",
            Self::GetPodLogs => "kubernetes:GetPodLogs",
            Self::ListRequests => "governance:ListRequests",
            Self::CreateRequest => "governance:CreateRequest",
        }
    }

    /// HQ's names tell.
    fn only_reads(self) -> bool {
        let (_, verb) = self.name().split_once(':').unwrap_or_default();
        ["List", "Get", "Read"].iter().any(|reading| verb.starts_with(reading))
    }
}

/// The topics that newcomers may create, as a resource name of IAM.
const SANDBOX: &str = "kafka:topic:sandbox.";

/// What a user's roles add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    All,
    /// Reads everything, creates topics in the sandbox and asks for others, which is what a role
    /// for newcomers looks like.
    ReadsAndSandbox,
    /// Reads environments and Kafka; sees nothing of connectors, processors and approvals.
    ReadsKafka,
}

/// A person who can sign in.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    rights: Rights,
}

/// Everyone who can sign in. A password is the user's name: the stand-in guards nothing.
pub(crate) const USERS: [User; 3] = [
    User { name: "alice", rights: Rights::All },
    User { name: "bob", rights: Rights::ReadsAndSandbox },
    User { name: "carol", rights: Rights::ReadsKafka },
];

/// The user of that name.
pub(crate) fn find(name: &str) -> Option<&'static User> {
    USERS.iter().find(|user| user.name == name)
}

/// The user whom a name and password prove.
pub(crate) fn sign_in(name: &str, password: &str) -> Option<&'static User> {
    find(name).filter(|user| user.name == password)
}

/// Who makes a request of the API.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) name: String,
    rights: Rights,
}

impl Caller {
    pub(crate) fn user(user: &User) -> Self {
        Self { name: user.name.to_owned(), rights: user.rights }
    }

    /// HQ's service account for API-key mode: all rights.
    pub(crate) fn service_account() -> Self {
        Self { name: "mcp-service-account".to_owned(), rights: Rights::All }
    }

    /// Asks IAM.
    ///
    /// # Errors
    /// HQ's `forbidden` problem, naming the user, the action and the resource.
    pub(crate) fn may(&self, action: Action, resource: &str) -> Result<(), Problem> {
        let allowed = match self.rights {
            Rights::All => true,
            Rights::ReadsAndSandbox => {
                action.only_reads()
                    || action == Action::CreateRequest
                    || action == Action::CreateTopic && resource.starts_with(SANDBOX)
            }
            Rights::ReadsKafka => {
                action.only_reads()
                    && ["environments:", "kafka:"]
                        .iter()
                        .any(|part| action.name().starts_with(part))
            }
        };
        if allowed { Ok(()) } else { Err(Problem::forbidden(&self.name, action.name(), resource)) }
    }
}
