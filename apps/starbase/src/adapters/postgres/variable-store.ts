import type { StoredGroup, StoredVariable, VariableStore } from "../../core/variables/ports.ts";
import { onConstraint } from "./constraint.ts";
import type { Db } from "./database.ts";

export const postgresVariableStore = (db: Db): VariableStore => ({
  async insertGroup({ id, projectId, name, serviceId, environmentId, createdAt }) {
    await db
      .insertInto("var_groups")
      .values({
        id,
        project_id: projectId,
        name,
        service_id: serviceId,
        environment_id: environmentId,
        created_at: createdAt,
      })
      .execute()
      .catch(
        onConstraint(
          "var_groups_project_name_key",
          "name_taken",
          `the project already has a var group named ${name}`,
        ),
      );
  },
  async groups(projectId) {
    const groups = await db
      .selectFrom("var_groups")
      .selectAll()
      .where("project_id", "=", projectId)
      .orderBy("id")
      .execute();
    const entries = await db
      .selectFrom("var_group_entries")
      .innerJoin("var_groups", "var_groups.id", "var_group_entries.var_group_id")
      .selectAll("var_group_entries")
      .where("var_groups.project_id", "=", projectId)
      .orderBy("var_group_entries.name")
      .execute();
    const byGroup = Map.groupBy(entries, (entry) => entry.var_group_id);
    return groups.map((group): StoredGroup => ({
      id: group.id,
      projectId: group.project_id,
      name: group.name,
      serviceId: group.service_id,
      environmentId: group.environment_id,
      createdAt: group.created_at,
      entries: (byGroup.get(group.id) ?? []).map(toVariable),
    }));
  },
  async attachments(projectId) {
    const rows = await db
      .selectFrom("service_var_groups")
      .innerJoin("var_groups", "var_groups.id", "var_group_id")
      .select([
        "var_group_id",
        "service_var_groups.service_id",
        "service_var_groups.environment_id",
        "attach_order",
      ])
      .where("var_groups.project_id", "=", projectId)
      .orderBy("attach_order")
      .orderBy("var_group_id")
      .execute();
    return rows.map((row) => ({
      groupId: row.var_group_id,
      serviceId: row.service_id,
      environmentId: row.environment_id,
      attachOrder: row.attach_order,
    }));
  },
  async put(groupId, { name, isSecret, sealed, digest, updatedAt }) {
    const value = {
      is_secret: isSecret,
      key_id: sealed.keyId,
      ciphertext: sealed.ciphertext,
      digest,
      updated_at: updatedAt,
    };
    await db
      .insertInto("var_group_entries")
      .values({ var_group_id: groupId, name, ...value })
      .onConflict((on) => on.columns(["var_group_id", "name"]).doUpdateSet(value))
      .execute();
  },
  async drop(groupId, names) {
    if (names.length === 0) return;
    await db
      .deleteFrom("var_group_entries")
      .where("var_group_id", "=", groupId)
      .where("name", "in", names)
      .execute();
  },
  async removeGroup(projectId, groupId) {
    await db
      .deleteFrom("var_groups")
      .where("project_id", "=", projectId)
      .where("id", "=", groupId)
      .execute()
      .catch(
        onConstraint(
          "service_var_groups_group_fkey",
          "conflict",
          "services still use this var group: detach it from them first",
        ),
      );
  },
  async attach({ groupId, serviceId, environmentId, attachOrder }) {
    await db
      .insertInto("service_var_groups")
      .values({
        var_group_id: groupId,
        service_id: serviceId,
        environment_id: environmentId,
        attach_order: attachOrder,
      })
      .onConflict((on) =>
        on
          .columns(["service_id", "environment_id", "var_group_id"])
          .doUpdateSet({ attach_order: attachOrder }),
      )
      .execute();
  },
  async detach({ groupId, serviceId, environmentId }) {
    await db
      .deleteFrom("service_var_groups")
      .where("var_group_id", "=", groupId)
      .where("service_id", "=", serviceId)
      .where("environment_id", "=", environmentId)
      .execute();
  },
});

type EntryRow = {
  name: string;
  is_secret: boolean;
  key_id: string;
  ciphertext: Buffer;
  digest: string;
  updated_at: Date;
};
const toVariable = (row: EntryRow): StoredVariable => ({
  name: row.name,
  isSecret: row.is_secret,
  sealed: { keyId: row.key_id, ciphertext: row.ciphertext },
  digest: row.digest,
  updatedAt: row.updated_at,
});
