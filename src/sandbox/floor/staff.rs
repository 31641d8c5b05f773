//! Who works on the floor. All names are made up.

use super::habits::Habit;
use crate::sandbox::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Marketing,
    Teleprospecting,
    FieldSales,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colleague {
    /// To own records with.
    pub id: String,
    pub name: &'static str,
    pub function: Function,
    pub habit: Habit,
}

/// The people, who each take their turn.
#[derive(Clone, Debug)]
pub struct Staff {
    pub colleagues: Vec<Colleague>,
    /// Teleprospecting's queue.
    pub queue: String,
    turns: [usize; 3],
}

const PEOPLE: [(&str, &str, Function, Habit); 7] = [
    ("Priya Nair", "priya@acme.example", Function::Marketing, Habit::Quick),
    ("Amy Ng", "amy@acme.example", Function::Teleprospecting, Habit::Quick),
    ("Ben Castillo", "ben@acme.example", Function::Teleprospecting, Habit::Slow),
    ("Cleo Brandt", "cleo@acme.example", Function::Teleprospecting, Habit::Asleep),
    ("Dario Rossi", "dario@acme.example", Function::FieldSales, Habit::Quick),
    ("Elif Demir", "elif@acme.example", Function::FieldSales, Habit::Slow),
    ("Finn Olsen", "finn@acme.example", Function::FieldSales, Habit::Asleep),
];

impl Staff {
    pub(super) fn hire(world: &World) -> Self {
        let tele_lead = world.add_member("Mona Haddad", "tele-lead@acme.example", None, false);
        let field_manager = world.add_member("Sam Whitfield", "field-manager@acme.example", None, false);
        let colleagues = PEOPLE.iter().map(|(name, email, function, habit)| {
            let manager = match function {
                Function::Marketing => None,
                Function::Teleprospecting => Some(tele_lead.as_str()),
                Function::FieldSales => Some(field_manager.as_str()),
            };
            let id = world.add_member(name, email, manager, false);
            Colleague { id, name, function: *function, habit: *habit }
        });
        let colleagues = colleagues.collect();
        let queue = world.add_member("Teleprospecting queue", "", None, true);
        Self { colleagues, queue, turns: [0; 3] }
    }

    /// All of a function, in order.
    pub fn of(&self, function: Function) -> Vec<&Colleague> {
        self.colleagues.iter().filter(|c| c.function == function).collect()
    }

    /// The one who owns by that id, if it is one of that function.
    pub fn find(&self, id: &str, function: Function) -> Option<&Colleague> {
        self.colleagues.iter().find(|c| c.id == id && c.function == function)
    }

    /// Whose turn it is.
    pub(super) fn next(&mut self, function: Function) -> Colleague {
        let turn = &mut self.turns[function as usize];
        *turn += 1;
        let turn = *turn - 1;
        let team = self.of(function);
        team[turn % team.len()].clone()
    }

    /// Who takes what lies about: always the quick one.
    pub(super) fn quickest(&self, function: Function) -> Colleague {
        let team = self.of(function);
        let quick = team.iter().find(|c| c.habit == Habit::Quick);
        (*quick.unwrap_or(&team[0])).clone()
    }
}
