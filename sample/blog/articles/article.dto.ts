import { ApiPropertyOptional, ApiProperty, PartialType } from '@nestjs/swagger';
import { IsArray, IsOptional, IsString, MaxLength, MinLength } from 'class-validator';

export class CreateArticleDto {
  @ApiProperty({ example: 'Hello' })
  @IsString()
  @MinLength(1)
  @MaxLength(200)
  title!: string;

  @ApiProperty({ example: 'Nobody has read this yet.' })
  @IsString()
  body!: string;

  @ApiPropertyOptional({ example: ['news'], type: [String] })
  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  tags?: string[];
}

export class UpdateArticleDto extends PartialType(CreateArticleDto) {}
