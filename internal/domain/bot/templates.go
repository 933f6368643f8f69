package bot

import (
	"fmt"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// functions that templates may call: comparisons and logic. The others build strings of any length or reach into values.
func functions() []string { return []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge"} }

// check walks a template's whole tree, so that a mistake in a branch that no sample takes is found as well.
//
// It allows text, variables, and if with comparisons. Loops are out because their output (and without output their time)
// has no bound; templates of their own, because calling themselves is a loop. It returns how often each variable is used.
func check(t *template.Template, variables []string) (used map[string]int, err error) {
	if len(t.Templates()) > 1 {
		return nil, errUnsupported("define and block")
	}
	c := &checker{variables: variables, used: map[string]int{}}
	if err := c.list(t.Root); err != nil {
		return nil, err
	}
	return c.used, c.evaluate(t)
}

type checker struct {
	variables []string
	used      map[string]int
	// values are all values that the template may compute, whatever its branches.
	values []parse.Node
}

// evaluate computes every value of the template one after the other, branches aside: comparing a name with a number fails
// only where it is computed.
func (c *checker) evaluate(t *template.Template) error {
	flat, err := template.New(t.Name()).AddParseTree(t.Name(), &parse.Tree{
		Name: t.Name(), ParseName: t.ParseName,
		Root: &parse.ListNode{NodeType: parse.NodeList, Nodes: c.values},
	})
	if err != nil {
		return fmt.Errorf("taking the template apart: %w", err)
	}
	for _, sample := range samples() {
		if _, err := render(text{Template: flat}, sample); err != nil {
			return err
		}
	}
	return nil
}

func errUnsupported(what string) error {
	return fmt.Errorf("%s cannot be used here: use text, variables, and if, else and end", what)
}

func (c *checker) list(list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		if err := c.node(node); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) node(node parse.Node) error {
	switch n := node.(type) {
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		return c.pipe(n.Pipe)
	case *parse.IfNode:
		if err := c.pipe(n.Pipe); err != nil {
			return err
		}
		if err := c.list(n.List); err != nil {
			return err
		}
		return c.list(n.ElseList)
	case *parse.RangeNode:
		return errUnsupported("range")
	case *parse.WithNode:
		return errUnsupported("with")
	case *parse.TemplateNode:
		return errUnsupported("template")
	default:
		return errUnsupported(node.String())
	}
}

func (c *checker) pipe(pipe *parse.PipeNode) error {
	if len(pipe.Decl) > 0 {
		return errUnsupported("a variable of your own")
	}
	c.values = append(c.values, &parse.ActionNode{NodeType: parse.NodeAction, Pos: pipe.Pos, Line: pipe.Line, Pipe: pipe})
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			if err := c.arg(arg); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *checker) arg(arg parse.Node) error {
	switch n := arg.(type) {
	case *parse.BoolNode, *parse.NumberNode, *parse.StringNode:
		return nil
	case *parse.PipeNode:
		return c.pipe(n)
	case *parse.FieldNode:
		return c.variable(n.String(), n.Ident)
	case *parse.VariableNode: // $ is the same as the dot where nothing can move it
		return c.variable(n.String(), n.Ident[1:])
	case *parse.IdentifierNode:
		if !slices.Contains(functions(), n.Ident) {
			return fmt.Errorf("the function %s cannot be used here: there are %s", n.Ident, strings.Join(functions(), ", "))
		}
		return nil
	default:
		return c.unknown(arg.String())
	}
}

func (c *checker) variable(text string, path []string) error {
	if len(path) != 1 || !slices.Contains(c.variables, path[0]) {
		return c.unknown(text)
	}
	c.used[path[0]]++
	return nil
}

func (c *checker) unknown(text string) error {
	return fmt.Errorf("unknown variable %s: there are %s", text, listed(c.variables))
}

// listed are variables as they are written.
func listed(variables []string) string {
	written := make([]string, len(variables))
	for i, v := range variables {
		written[i] = "{{." + v + "}}"
	}
	return strings.Join(written, ", ")
}
