package buscli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/cmd/internal/cli"
)

// with finds a servo at the rates of the flags, opens the bus at that rate, does one thing
// and closes it.
func (f *busFlags) with(c *cobra.Command, id int, work func(servotool.Bus, servotool.Found) error) error {
	if err := checkID("--id", id); err != nil {
		return err
	}
	open, rates, err := f.look(c.ErrOrStderr())
	if err != nil {
		return err
	}
	d, err := servotool.Ping(open, rates, uint8(id))
	if err != nil {
		return f.explain(err)
	}
	return f.at(d.Baud, c.ErrOrStderr(), func(b servotool.Bus) error { return work(b, d) })
}

// register is a register as a program reads it.
type register struct {
	Name    string   `json:"name"`
	Address int      `json:"address"`
	Count   int64    `json:"count"`
	Value   *float64 `json:"value,omitempty"` // in unit
	Unit    string   `json:"unit,omitempty"`
	Meaning string   `json:"meaning,omitempty"`
	Kept    bool     `json:"eeprom"`
	Write   bool     `json:"writable"`
	Min     int64    `json:"min"`
	Max     int64    `json:"max"`
	Was     *int64   `json:"was,omitempty"` // before a write
}

func registerOf(r *servotool.Register, count int64) register {
	out := register{Name: r.Name, Address: r.Addr, Count: count, Unit: r.Unit, Kept: r.Kept, Write: r.Writable,
		Min: r.Min, Max: r.Max}
	if r.Unit != "" {
		v := r.Value(count)
		out.Value = &v
	}
	if r.Words != nil {
		out.Meaning = r.Words(count)
	}
	return out
}

func newBusReadCmd() *cobra.Command {
	f := &busFlags{}
	id := -1
	c := &cobra.Command{
		Use:   "read [REGISTER...]",
		Short: "Read registers of one servo, by name or address; all of them if none is named",
		Long: `Read registers of one servo: by name ("present position", present-position), or
by address (132). Without a name all are read. Counts stand beside what they mean.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, names []string) error {
			return f.with(c, id, func(b servotool.Bus, _ servotool.Found) error {
				_, held, err := servotool.Read(b, uint8(id), names...)
				if f.asJSON && err == nil {
					all := []register{}
					for _, h := range held {
						all = append(all, registerOf(&h.Register, h.Holds))
					}
					return cli.WriteJSON(c.OutOrStdout(), all)
				}
				for _, h := range held {
					printRegister(c.OutOrStdout(), &h)
				}
				return err
			})
		},
	}
	f.add(c)
	c.Flags().IntVar(&id, "id", -1, "the servo's id (required)")
	return c
}

func printRegister(out io.Writer, h *servotool.Holding) {
	legal := "read only"
	if h.Writable {
		legal = "legal " + h.Legal()
	}
	if h.Kept && h.Writable {
		legal += ", with torque off"
	}
	fmt.Fprintf(out, "%3d  %-24s %-28s %s\n", h.Addr, h.Name, h.Text(h.Holds), legal)
}

func newBusWriteCmd() *cobra.Command {
	f := &busFlags{}
	id, mayMove := -1, false
	c := &cobra.Command{
		Use:   "write REGISTER VALUE",
		Short: "Write a register of one servo, by name or address, and read it back",
		Long: `Write a register of one servo and read it back. VALUE is a count (300), or a
value with the register's unit (1.2rad, 14.8V); 'mitori bus read' shows both, and
what is legal. What is kept without power (EEPROM) takes writes with torque off
only. Id and baud rate have commands of their own.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return f.with(c, id, func(b servotool.Bus, _ servotool.Found) error {
				w, err := servotool.Write(b, uint8(id), args[0], args[1], mayMove)
				if err != nil {
					return err
				}
				if f.asJSON {
					r := registerOf(&w.Register, w.Holds)
					r.Was = &w.Was
					return cli.WriteJSON(c.OutOrStdout(), r)
				}
				fmt.Fprintf(c.OutOrStdout(), "servo %d: %s (register %d): %s -> %s\n", id, w.Name, w.Addr,
					w.Text(w.Was), w.Text(w.Holds))
				return nil
			})
		},
	}
	f.add(c)
	c.Flags().IntVar(&id, "id", -1, "the servo's id (required)")
	c.Flags().BoolVar(&mayMove, "may-move", false, "write goals and torque, too: the servo may move at once")
	return c
}
