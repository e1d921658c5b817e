// Compiled, never run: a dashboard's use of the types that scripts/generate-types writes beside this file.

import type { components, paths } from "./zygo-api";

type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : never;

type LogIn = paths["/api/auth/login"]["post"];
type UserList = Json<paths["/api/v1/users"]["get"]["responses"]["200"]>;
type User = UserList["data"][number];

export const credentials: Json<NonNullable<LogIn["requestBody"]>> = {
	email: "ann@example.com",
	password: "correct horse battery staple",
};

export function initials(user: User): string {
	return `${user.firstName?.[0] ?? ""}${user.lastName?.[0] ?? ""}` || user.email[0]!;
}

export function pages(list: UserList): number | undefined {
	return list.pagination.totalPages;
}

export const schemas: (keyof components["schemas"])[] = ["User", "Error"];

// @ts-expect-error a list is not a user
export const wrong: User = {} as UserList;
