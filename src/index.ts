export {
  BACKEND,
  createGhauthCommand,
  type GhauthCommand,
  type GhauthDeps,
} from "./ghauth/ghauth-command.js";
export type { Status } from "./ghauth/read-status.js";
export type * from "./takopi/command-backend.js";
export { type ErrorCode, GhauthError } from "./errors.js";
