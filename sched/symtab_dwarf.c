// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// DWARF in a mapped file: where its sections are, and values in each of its forms.  Without memory,
// locks or libc, as its readers.  Only in gort: Go's linker makes tables of its own.
#include "sched/symtab_dwarf.h"

#include <elf.h>

// dwarfSections_find looks for the sections by name.
void
dwarfSections_find(dwarfSections *d, const uint8_t *file, uintptr_t n) {
	const struct {
		const char *name;
		dwarfSection *sec;
	} wanted[] = {
		{".debug_line", &d->line},
		{".debug_line_str", &d->linestr},
		{".debug_str", &d->str},
		{".debug_info", &d->info},
		{".debug_abbrev", &d->abbrev},
		{".debug_addr", &d->addr},
		{".debug_str_offsets", &d->stroffs},
		{".debug_ranges", &d->ranges},
		{".debug_rnglists", &d->rnglists},
	};
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)file;
	const Elf64_Shdr *sh = (const Elf64_Shdr *)(file + eh->e_shoff);
	if (eh->e_shstrndx >= eh->e_shnum)
		return;
	const Elf64_Shdr *ns = &sh[eh->e_shstrndx];
	if (ns->sh_offset > n || ns->sh_size > n - ns->sh_offset)
		return;
	dwarfSection names = {file + ns->sh_offset, ns->sh_size};
	for (int i = 0; i < eh->e_shnum; i++) {
		const Elf64_Shdr *s = &sh[i];
		if (s->sh_type == SHT_NOBITS || (s->sh_flags & SHF_COMPRESSED) != 0 ||
			s->sh_offset > n || s->sh_size > n - s->sh_offset)
			continue;
		const char *name = section_string(names, s->sh_name);
		for (uintptr_t k = 0; k < nelem(wanted); k++) {
			if (strcmp(name, wanted[k].name) == 0)
				*wanted[k].sec = (dwarfSection){file + s->sh_offset, s->sh_size};
		}
	}
}

// form_read: see symtab_dwarf.h.
uint64_t
form_read(reader *r, unsigned offsize, uint64_t form, int64_t implicit, const char **s) {
	uint64_t n;
	switch (form) {
	case 0x01: // addr
	case 0x07: // data8
	case 0x14: // ref8
	case 0x20: // ref_sig8
	case 0x24: // ref_sup8
		return read_fixed(r, 8);
	case 0x0b: // data1
	case 0x0c: // flag
	case 0x11: // ref1
	case 0x25: // strx1
	case 0x29: // addrx1
		return read_fixed(r, 1);
	case 0x05: // data2
	case 0x12: // ref2
	case 0x26: // strx2
	case 0x2a: // addrx2
		return read_fixed(r, 2);
	case 0x27: // strx3
	case 0x2b: // addrx3
		n = read_fixed(r, 2);
		return n | read_fixed(r, 1) << 16;
	case 0x06: // data4
	case 0x13: // ref4
	case 0x1c: // ref_sup4
	case 0x28: // strx4
	case 0x2c: // addrx4
		return read_fixed(r, 4);
	case 0x1e: // data16
		read_fixed(r, 8);
		return read_fixed(r, 8);
	case 0x0e:   // strp
	case 0x10:   // ref_addr
	case 0x17:   // sec_offset
	case 0x1d:   // strp_sup
	case 0x1f:   // line_strp
	case 0x1f20: // GNU_ref_alt
	case 0x1f21: // GNU_strp_alt
		return read_fixed(r, offsize);
	case 0x0d: // sdata
		return (uint64_t)read_sleb(r);
	case 0x0f:   // udata
	case 0x15:   // ref_udata
	case 0x1a:   // strx
	case 0x1b:   // addrx
	case 0x22:   // loclistx
	case 0x23:   // rnglistx
	case 0x1f01: // GNU_addr_index
	case 0x1f02: // GNU_str_index
		return read_uleb(r);
	case 0x08: // string
		*s = read_string(r);
		return 0;
	case 0x19: // flag_present
		return 1;
	case 0x21: // implicit_const
		return (uint64_t)implicit;
	case 0x16: // indirect
		return form_read(r, offsize, read_uleb(r), 0, s);
	case 0x0a: // block1
		n = read_fixed(r, 1);
		break;
	case 0x03: // block2
		n = read_fixed(r, 2);
		break;
	case 0x04: // block4
		n = read_fixed(r, 4);
		break;
	case 0x09: // block
	case 0x18: // exprloc
		n = read_uleb(r);
		break;
	default:
		n = ~(uint64_t)0;
		break;
	}
	if (n > (uint64_t)(r->end - r->p))
		r->bad = true;
	else
		r->p += n;
	return 0;
}

// form_string: see symtab_dwarf.h.
const char *
form_string(const dwarfSections *d, uint64_t form, uint64_t v, const char *s) {
	if (form == 0x0e)
		return section_string(d->str, v);
	if (form == 0x1f)
		return section_string(d->linestr, v);
	return s;
}
