//! How refusals of a condition are worded: what is wrong, where, and what to write instead.
//! What is refused is decided in `compile`.

use super::compile::{Compiler, Constant};
use super::tree::{Method, Op, Operand};
use super::{Problem, closest};
use crate::record::{FieldType, Object};
use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

/// The functions that conditions may use.
const FUNCTIONS: [&str; 2] = ["reached", "timestamp"];

impl Compiler<'_> {
    fn refuse_at<T>(&mut self, at: &IdedExpr, message: impl Into<String>, help: impl Into<String>) -> Option<T> {
        let problem = Problem::error(self.span(at), message).help(help);
        self.refuse(problem)
    }

    /// A call that is no condition and no comparison.
    pub(super) fn refuse_call<T>(&mut self, expr: &IdedExpr, call: &CallExpr) -> Option<T> {
        let name = call.func_name.trim_start_matches('.');
        match name {
            operators::CONDITIONAL => {
                let help = "write `(a && b) || (!a && c)` for `a ? b : c`";
                self.refuse_at(expr, "`? :` is not used in conditions", help)
            }
            operators::ADD
            | operators::SUBSTRACT
            | operators::MULTIPLY
            | operators::DIVIDE
            | operators::MODULO
            | operators::NEGATE => {
                let help = "compare a field with the value itself";
                self.refuse_at(expr, "conditions do not calculate", help)
            }
            operators::INDEX => self.refuse_other(expr),
            "timestamp" if call.args.len() == 1 && is_text(&call.args[0]) => {
                let help = "compare a date or a time with it, as in `close_date >= timestamp(\"2027-01-04\")`";
                self.refuse_at(expr, "`timestamp(…)` alone is no condition", help)
            }
            "timestamp" => {
                let help = "as in `timestamp(\"2027-01-04T09:00:00Z\")`";
                self.refuse_at(expr, "`timestamp` takes one text in quotes", help)
            }
            "has" => self.refuse_at(expr, "`has()` is not used in conditions", "write `x != null`"),
            _ => self.refuse_function(expr, call, name),
        }
    }

    fn refuse_function<T>(&mut self, expr: &IdedExpr, call: &CallExpr, name: &str) -> Option<T> {
        let problem = Problem::error(self.parsed.name_span(expr, call), format!("there is no function `{name}`"));
        let problem = match (Method::named(name), closest(name, FUNCTIONS.into_iter())) {
            (Some(_), _) => problem.help(format!("it stands behind the field: `field.{name}(\"…\")`")),
            (_, Some(meant)) => problem.help(format!("did you mean `{meant}`?")),
            (None, None) => problem.help("conditions know `reached(\"…\")` and `timestamp(\"…\")`"),
        };
        self.refuse(problem)
    }

    /// A call where a field or a value should stand.
    pub(super) fn refuse_as_side<T>(&mut self, expr: &IdedExpr, call: &CallExpr) -> Option<T> {
        let name = call.func_name.as_str();
        let answers = matches!(
            name,
            operators::EQUALS
                | operators::NOT_EQUALS
                | operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS
                | operators::LOGICAL_AND
                | operators::LOGICAL_OR
                | operators::LOGICAL_NOT
                | operators::IN
                | "reached"
        );
        if answers || (call.target.is_some() && Method::named(name).is_some()) {
            let help = "join conditions with `&&` or `||`, and turn one round with `!(…)`";
            return self.refuse_at(expr, "a condition is compared here as if it were a value", help);
        }
        if call.target.is_some() { self.refuse_method(expr, call) } else { self.refuse_call(expr, call) }
    }

    pub(super) fn refuse_as_condition<T>(&mut self, expr: &IdedExpr) -> Option<T> {
        match &expr.expr {
            Expr::Literal(_) => {
                self.refuse_at(expr, "a value alone is no condition", "compare a field with it, as in `field == …`")
            }
            _ => self.refuse_other(expr),
        }
    }

    /// Parts of CEL that conditions leave out.
    pub(super) fn refuse_other<T>(&mut self, expr: &IdedExpr) -> Option<T> {
        let (message, help) = match &expr.expr {
            Expr::Select(select) if select.test => ("`has()` is not used in conditions", "write `x != null`"),
            Expr::Select(_) => ("fields have plain names, without a dot", "write the field's logical name alone"),
            Expr::List(_) => ("a list stands only behind `in`", "write `field in [\"a\", \"b\"]`"),
            Expr::Literal(_) => ("this kind of literal is not used in conditions", "write text in plain quotes"),
            _ => ("this part of CEL is not used in conditions", "compare fields with values, joined by `&&` and `||`"),
        };
        self.refuse_at(expr, message, help)
    }

    pub(super) fn refuse_bare<T>(&mut self, expr: &IdedExpr, of: FieldType) -> Option<T> {
        let name = self.parsed.text(&self.span(expr));
        let example = match of {
            FieldType::Number => format!("`{name} >= 1`"),
            FieldType::Date | FieldType::Time => format!("`{name} >= \"2027-01-04\"`"),
            FieldType::Text | FieldType::Bool => format!("`{name} == \"…\"` or `{name} != null`"),
        };
        let message = format!("`{name}` is {}, not a condition", described(of));
        self.refuse_at(expr, message, format!("compare it, as in {example}"))
    }

    pub(super) fn refuse_types<T>(
        &mut self,
        expr: &IdedExpr,
        (a, a_type): (Operand, FieldType),
        (b, b_type): (Operand, FieldType),
    ) -> Option<T> {
        let message = format!("`{}` is {} and `{}` is {}", name(a), described(a_type), name(b), described(b_type));
        self.refuse_at(expr, message, "compare fields of one type")
    }

    pub(super) fn refuse_literal<T>(
        &mut self,
        left: Operand,
        kind: FieldType,
        value: Constant<'_>,
        at: &IdedExpr,
    ) -> Option<T> {
        let left = name(left);
        let message = match (kind, value) {
            (FieldType::Date | FieldType::Time, Constant::Text(text) | Constant::Moment(text)) => {
                format!("`{left}` is {}, and {text:?} is not one", described(kind))
            }
            _ => format!("`{left}` is {}, and this is {}", described(kind), constant(value)),
        };
        let help = match (kind, value) {
            (FieldType::Number, Constant::Text(text)) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
                format!("write {} without quotes", text.trim())
            }
            (FieldType::Text, _) => format!("write it in quotes: \"{}\"", self.parsed.text(&self.span(at))),
            (FieldType::Number, _) => "write a number without quotes, as in 60".to_owned(),
            (FieldType::Bool, _) => "write true or false, without quotes".to_owned(),
            (FieldType::Date, _) => "write a day as \"2027-01-04\"".to_owned(),
            (FieldType::Time, _) => "write a moment as \"2027-01-04T09:00:00Z\", or a day as \"2027-01-04\"".to_owned(),
        };
        self.refuse_at(at, message, help)
    }

    pub(super) fn refuse_order_of_null<T>(&mut self, at: &IdedExpr) -> Option<T> {
        self.refuse_at(at, "null has no order", "write `x == null` or `x != null`")
    }

    pub(super) fn refuse_order_of_bool<T>(&mut self, at: &IdedExpr, op: Op) -> Option<T> {
        let message = format!("true and false have no order, so `{}` cannot compare them", op.as_str());
        self.refuse_at(at, message, "write `==` or `!=`")
    }

    pub(super) fn refuse_order_of_stage<T>(&mut self, expr: &IdedExpr, name: &str) -> Option<T> {
        let help = format!("write `reached({name:?})` for \"at this stage or past it\"");
        self.refuse_at(expr, "stages are compared with `==`, `!=` and `in`", help)
    }

    pub(super) fn refuse_stage_against<T>(&mut self, at: &IdedExpr) -> Option<T> {
        self.refuse_at(at, "`stage` is compared with names of stages", "write a stage's name in quotes")
    }

    pub(super) fn refuse_list<T>(&mut self, at: &IdedExpr) -> Option<T> {
        self.refuse_at(at, "a list must stand behind `in`", "write `in [\"a\", \"b\"]`")
    }

    pub(super) fn refuse_empty_list<T>(&mut self, at: &IdedExpr) -> Option<T> {
        self.refuse_at(at, "nothing is in an empty list", "name at least one value")
    }

    pub(super) fn refuse_constant_in<T>(&mut self, at: &IdedExpr) -> Option<T> {
        self.refuse_at(at, "a field must stand before `in`", "to search in a text write `field.contains(\"…\")`")
    }

    pub(super) fn refuse_null_in_list<T>(&mut self, at: &IdedExpr) -> Option<T> {
        self.refuse_at(at, "null is in no list", "write `x == null || x in […]`")
    }

    pub(super) fn refuse_element<T>(&mut self, at: &IdedExpr) -> Option<T> {
        self.refuse_at(at, "a list holds only fixed values", "compare with fields by `==`, joined by `||`")
    }

    pub(super) fn refuse_method<T>(&mut self, expr: &IdedExpr, call: &CallExpr) -> Option<T> {
        let name = call.func_name.as_str();
        let span = self.parsed.name_span(expr, call);
        let problem = match name {
            "matches" => Problem::error(span, "patterns (`matches`) are not used in conditions")
                .help("write `startsWith`, `endsWith` or `contains`, joined by `||`"),
            "size" => Problem::error(span, "`size` is not used in conditions").help("whether it is set: `x != null`"),
            _ => match closest(name, Method::NAMES.into_iter()) {
                Some(meant) => Problem::error(span, format!("there is no method `{name}`"))
                    .help(format!("did you mean `{meant}`?")),
                None => Problem::error(span, format!("there is no method `{name}`"))
                    .help("text knows `startsWith`, `endsWith` and `contains`"),
            },
        };
        self.refuse(problem)
    }

    pub(super) fn refuse_method_on<T>(
        &mut self,
        expr: &IdedExpr,
        call: &CallExpr,
        left: Operand,
        kind: FieldType,
    ) -> Option<T> {
        let message = format!("`{}` works on text, and `{}` is {}", call.func_name, name(left), described(kind));
        let problem = Problem::error(self.parsed.name_span(expr, call), message);
        self.refuse(problem.help(format!("compare `{}` with `==`, `<` and the like", name(left))))
    }

    pub(super) fn refuse_method_target<T>(&mut self, target: &IdedExpr, method: &str) -> Option<T> {
        self.refuse_at(
            target,
            format!("`{method}` needs a text field before it"),
            format!("write `field.{method}(\"…\")`"),
        )
    }

    pub(super) fn refuse_method_argument<T>(&mut self, expr: &IdedExpr, method: &str) -> Option<T> {
        let help = format!("write `field.{method}(\"…\")`");
        self.refuse_at(expr, format!("`{method}` takes one text in quotes"), help)
    }

    pub(super) fn refuse_reached_argument<T>(&mut self, expr: &IdedExpr) -> Option<T> {
        self.refuse_at(expr, "`reached` takes one stage's name in quotes", "as in `reached(\"…\")`")
    }

    pub(super) fn refuse_reached_ending<T>(&mut self, at: &IdedExpr, stage: &str) -> Option<T> {
        let message = format!("`{stage}` stands beside the waterfall, so it is never reached");
        self.refuse_at(at, message, format!("write `stage == {stage:?}`"))
    }

    pub(super) fn refuse_stages<T>(&mut self, at: &IdedExpr) -> Option<T> {
        let message = "stages cannot be asked for here: this condition is asked before the stage is known";
        self.refuse_at(at, message, "look at fields instead, as in `status == \"…\"`")
    }

    pub(super) fn refuse_stage_name<T>(&mut self, at: &IdedExpr, name: &str, stages: &[(String, bool)]) -> Option<T> {
        let message = format!("there is no stage {name:?}");
        let names = || stages.iter().map(|(name, _)| name.as_str());
        match closest(name, names()) {
            Some(meant) => self.refuse_at(at, message, format!("did you mean {meant:?}?")),
            None => self.refuse_at(at, message, format!("the stages are {}", names().collect::<Vec<_>>().join(", "))),
        }
    }

    pub(super) fn refuse_name<T>(&mut self, at: &IdedExpr, name: &str, beside: Option<&IdedExpr>) -> Option<T> {
        let message = format!("{} has no field `{name}`", an(self.scope.object));
        let help = self.advice_on_name(name, beside);
        self.refuse_at(at, message, help)
    }

    fn advice_on_name(&self, name: &str, beside: Option<&IdedExpr>) -> String {
        let fields = self.scope.dictionary.of(self.scope.object);
        let others = match self.scope.object {
            Object::Lead => Object::Opportunity,
            Object::Opportunity => Object::Lead,
        };
        let stage_beside = beside.is_some_and(|side| matches!(&side.expr, Expr::Ident(name) if name == "stage"));
        let stage = self.scope.stages.is_some().then_some("stage");
        let touches = self.scope.in_clock.then_some("touches");
        let meant = closest(name, fields.keys().copied().chain(stage).chain(touches));
        match meant {
            _ if stage_beside => format!("a stage's name stands in quotes: \"{name}\""),
            Some(meant) => format!("did you mean `{meant}`?"),
            None if self.scope.dictionary.of(others).contains_key(name) => {
                format!("`{name}` is a field of {}", if others == Object::Lead { "leads" } else { "opportunities" })
            }
            None if beside.is_some() => format!("text stands in quotes: \"{name}\"; new fields are declared in [data]"),
            None => "declare it in [data], or see the dictionary for the fields there are".to_owned(),
        }
    }
}

fn is_text(expr: &IdedExpr) -> bool {
    matches!(expr.expr, Expr::Literal(LiteralValue::String(_)))
}

fn name(operand: Operand) -> &'static str {
    match operand {
        Operand::Field(field) => field.as_str(),
        Operand::Touches => "touches",
    }
}

fn an(object: Object) -> &'static str {
    match object {
        Object::Lead => "a lead",
        Object::Opportunity => "an opportunity",
    }
}

fn described(of: FieldType) -> &'static str {
    match of {
        FieldType::Text => "text",
        FieldType::Number => "a number",
        FieldType::Bool => "true or false",
        FieldType::Date => "a date",
        FieldType::Time => "a time",
    }
}

fn constant(value: Constant<'_>) -> &'static str {
    match value {
        Constant::Null => "null",
        Constant::Text(_) => "text",
        Constant::Number(_) => "a number",
        Constant::Bool(_) => "true or false",
        Constant::Moment(_) => "a moment",
    }
}
