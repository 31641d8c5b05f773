//! What people and programs may do: roles, and the permissions that each has. Which page or call needs
//! which permission is said where it is routed.

use std::fmt;

/// What a page or a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See everything that the pages show.
    Look,
    /// Pause, resume, undo, exclude, release, replay, dispute, simulate.
    Operate,
    /// Say whether a promise that no CRM records was kept; signers only for the party that they sign for.
    Attest,
    /// Put one's name under a version of the agreement.
    Sign,
    /// Arm and disarm connections, and all else.
    Administer,
}

/// What an account is, and what an API token's scope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Viewer,
    Operator,
    Signer,
    Admin,
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Operator, Role::Signer, Role::Admin];

    /// The table of who may what.
    pub fn may(self, permission: Permission) -> bool {
        use Permission::{Administer, Attest, Look, Operate, Sign};
        let may: &[Permission] = match self {
            Role::Viewer => &[Look],
            Role::Operator => &[Look, Operate, Attest],
            Role::Signer => &[Look, Attest, Sign],
            Role::Admin => &[Look, Operate, Attest, Sign, Administer],
        };
        may.contains(&permission)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Signer => "signer",
            Role::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// The word for it in an API token: `read`, `operate`, `sign`, `admin`.
    pub fn as_scope(self) -> &'static str {
        match self {
            Role::Viewer => "read",
            Role::Operator => "operate",
            Role::Signer => "sign",
            Role::Admin => "admin",
        }
    }

    pub fn parse_scope(text: &str) -> Option<Self> {
        Role::ALL.into_iter().find(|role| role.as_scope() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Permission {
    /// Whom to ask for: the roles that have it, in words.
    pub fn roles(self) -> &'static str {
        match self {
            Permission::Look => "any role",
            Permission::Operate => "the role operator or admin",
            Permission::Attest => "the role operator, signer or admin",
            Permission::Sign => "the role signer or admin",
            Permission::Administer => "the role admin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_exactly_what_the_table_says() {
        use Permission::{Administer, Attest, Look, Operate, Sign};
        let may = |role: Role| [Look, Operate, Attest, Sign, Administer].map(|permission| role.may(permission));
        assert_eq!(may(Role::Viewer), [true, false, false, false, false]);
        assert_eq!(may(Role::Operator), [true, true, true, false, false]);
        assert_eq!(may(Role::Signer), [true, false, true, true, false]);
        assert_eq!(may(Role::Admin), [true; 5]);
    }

    #[test]
    fn a_role_is_read_back_as_it_was_written() {
        for role in Role::ALL {
            assert_eq!((Role::parse(role.as_str()), Role::parse_scope(role.as_scope())), (Some(role), Some(role)));
        }
        assert_eq!((Role::parse("owner"), Role::parse_scope("viewer")), (None, None));
    }
}
