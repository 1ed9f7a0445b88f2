export interface BertConfig {
  readonly hidden_size: number;
  readonly num_attention_heads: number;
  readonly num_hidden_layers: number;
  readonly layer_norm_eps: number;
}

export function bertOnnx(safetensors: Uint8Array, config: BertConfig, rows: number): Uint8Array;
