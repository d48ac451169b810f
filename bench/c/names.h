/* A set of names, each with a number: what a directory holds. Open addressing,
 * linear probing, at most half full. */
#ifndef NAMES_H
#define NAMES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *name; /* NULL: free */
	int child;  /* number of the directory of that name, -1 for anything else */
};

struct names {
	struct entry *slots;
	uint32_t size, used; /* size is 0 or a power of two */
};

static inline uint32_t name_hash(const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	while (*name)
		h = (h ^ (unsigned char)*name++) * 16777619u;
	return h;
}

static inline struct entry *names_find(struct names *set, const char *name)
{
	if (!set->size)
		return NULL;
	uint32_t i = name_hash(name) & (set->size - 1);
	while (set->slots[i].name && strcmp(set->slots[i].name, name))
		i = (i + 1) & (set->size - 1);
	return set->slots[i].name ? &set->slots[i] : NULL;
}

static inline void names_place(struct names *set, struct entry entry)
{
	uint32_t i = name_hash(entry.name) & (set->size - 1);
	while (set->slots[i].name)
		i = (i + 1) & (set->size - 1);
	set->slots[i] = entry;
	set->used++;
}

/* `name` must not be in the set. */
static inline void names_add(struct names *set, const char *name, int child)
{
	if (2 * (set->used + 1) > set->size) {
		struct names grown = {NULL, set->size ? 2 * set->size : 8, 0};
		grown.slots = calloc(grown.size, sizeof(struct entry));
		for (uint32_t i = 0; i < set->size; i++)
			if (set->slots[i].name)
				names_place(&grown, set->slots[i]);
		free(set->slots);
		*set = grown;
	}
	names_place(set, (struct entry){strdup(name), child});
}

/* Take `entry` out and close the gap, so that no probe stops short. */
static inline void names_remove(struct names *set, struct entry *entry)
{
	uint32_t gap = entry - set->slots, i = gap;
	free(entry->name);
	set->slots[gap].name = NULL;
	set->used--;
	for (;;) {
		i = (i + 1) & (set->size - 1);
		if (!set->slots[i].name)
			return;
		uint32_t home = name_hash(set->slots[i].name) & (set->size - 1);
		if (((i - home) & (set->size - 1)) >= ((i - gap) & (set->size - 1))) {
			set->slots[gap] = set->slots[i];
			set->slots[i].name = NULL;
			gap = i;
		}
	}
}

#endif
